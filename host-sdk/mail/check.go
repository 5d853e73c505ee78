package mail

import "context"

// Check connects to the server and signs in, as for a mail, and leaves without sending one. The
// kinds of its errors are those of Send. It is for switchboard doctor: a wrong password is found
// before the first night.
func (s *Sender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	line := &line{ctx: ctx, server: s.server}
	defer line.hangUp()
	client, err := s.client(line)
	if err != nil {
		return s.fault(ctx, err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return s.fault(ctx, err)
	}
	_ = client.Close() // the server has answered: how it says goodbye does not matter
	return nil
}
