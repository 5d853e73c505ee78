package twiliosim_test

import (
	"net/http"
	"testing"
)

func checked(_ *testing.T, h http.Handler) http.Handler { return h }
