package host_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/host"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// hostile is an adapter that answers well and does what the purpose says besides.
type hostile struct {
	fake
	marker string
}

func (h hostile) Fetch(ctx context.Context, r *budgetv1.FetchRequest, out *adapters.Writer) error {
	what, arg, _ := strings.Cut(r.GetPurpose(), " ")
	switch what {
	case "outlive": // in this group, in a session and in a group of its own
		for _, attr := range []*syscall.SysProcAttr{{}, {Setsid: true}, {Setpgid: true}} {
			c := exec.Command("/proc/self/exe", "outlives", h.marker)
			c.SysProcAttr = attr
			_ = c.Start()
		}
	case "bomb": // as many processes as it may have
		n := 0
		for ; n < 300; n++ {
			if exec.Command("/proc/self/exe", "outlives", h.marker).Start() != nil {
				break
			}
		}
		fmt.Fprintln(os.Stderr, "bomb went off at", n)
	case "flood":
		mib, _ := strconv.Atoi(arg)
		piece := bytes.Repeat(append(bytes.Repeat([]byte("x"), 1023), '\n'), 1024)
		for range mib {
			_, _ = syscall.Write(2, piece)
		}
	case "hog":
		var all [][]byte
		for range 1 << 20 {
			all = append(all, bytes.Repeat([]byte("x"), 1<<20))
		}
		fmt.Fprintln(os.Stderr, len(all))
	case "read":
		if _, err := os.ReadFile(arg); err == nil {
			return adapters.Bug()
		}
	}
	r.Purpose = ""
	return h.fake.Fetch(ctx, r, out)
}

// hostOf is a host alone, for as long as nobody kills it.
func hostOf(marker string) {
	c := config(newJournal())
	c.Args, c.Log = []string{"adapter", "hostile", marker}, nil
	p, err := host.Start(context.Background(), c)
	if err == nil {
		_, err = p.Fetch(context.Background(), ask("outlive"))
	}
	fmt.Println("runs", p.PID(), err)
	time.Sleep(time.Hour)
}
