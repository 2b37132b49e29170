package bench

import (
	"fmt"
	"io"
)

// Print writes the report for people.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "%-7s %-7s %9s %9s %9s %9s %9s %8s %8s %8s %8s\n", "load", "system", "p50 ms", "p99 ms", "a second", "cpu us", "adapter", "allocs", "KB", "x direct", "x floor")
	for _, f := range r.Figures {
		fmt.Fprintf(w, "%-7s %-7s %9.2f %9.2f %9.0f %9.0f %9.0f %8.0f %8.0f %8.1f %8.2f\n",
			f.Load, f.System, f.P50, f.P99, f.PerSecond, f.CPU, f.AdapterCPU, f.Allocs, f.Bytes/1000, f.TimesDirect, f.TimesFloor)
	}
	fmt.Fprintf(w, "\nrecord: %.0f bytes a question; memory (PSS): gateway %.1f MiB, adapter %.1f MiB; under load %.1f and %.1f MiB\n",
		r.DiskBytes, r.Idle.Gateway, r.Idle.Adapter, r.Busy.Gateway, r.Busy.Adapter)
	for _, s := range r.Soaks {
		fmt.Fprintf(w, "soak, %s: %d questions; before and after: p50 %.2f and %.2f ms, PSS %.1f and %.1f MiB, goroutines %d and %d, descriptors %d and %d\n",
			s.System, s.Questions, s.P50[0], s.P50[1], s.PSS[0], s.PSS[1], s.Goroutines[0], s.Goroutines[1], s.Descriptors[0], s.Descriptors[1])
	}
}
