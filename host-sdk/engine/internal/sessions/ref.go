package sessions

// Ref names a session.
type Ref struct{ Integration, Key string }
