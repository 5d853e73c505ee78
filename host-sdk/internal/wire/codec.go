package wire

import (
	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// Codec encodes messages as gRPC does, but replaces what is not UTF-8 in text by U+FFFD. A message
// with such text cannot be sent at all, and text comes from callers: a city name in another
// encoding must not cost a call. Nearly all text is valid, which protobuf looks at anyway: only a
// message that it refuses is walked.
func Codec() encoding.CodecV2 { return codec{encoding.GetCodecV2(grpcproto.Name)} }

type codec struct{ encoding.CodecV2 }

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	data, err := c.CodecV2.Marshal(v)
	if m, ok := v.(proto.Message); err != nil && ok {
		makeValidText(m)
		return c.CodecV2.Marshal(v)
	}
	return data, err
}
