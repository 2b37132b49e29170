package source

import (
	"context"
	"sync"
)

// Together asks at once what does not need the answer of one another. The first that fails
// ends the others, and its error is given. A panic in one is a panic of the caller, whose
// request it then costs, and not the process.
func Together(ctx context.Context, asks ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		all   sync.WaitGroup
		once  sync.Once
		first error
		broke any
	)
	for _, ask := range asks {
		all.Go(func() {
			var err error
			defer func() {
				what := recover()
				if what == nil && err == nil {
					return
				}
				once.Do(func() { first, broke = err, what })
				cancel()
			}()
			err = ask(ctx)
		})
	}
	all.Wait()
	if broke != nil {
		panic(broke)
	}
	return first
}
