package bench

import (
	"context"
	"io"
	"path/filepath"
)

// start starts everything there is to compare.
func (r *run) start(ctx context.Context) (err error) {
	if r.memory, err = newHouse(filepath.Join(r.dir, FromMem), true); err != nil {
		return err
	}
	if err := r.bare(ctx, job{name: PartDirect}); err != nil {
		return err
	}
	if err := r.bare(ctx, job{name: PartFloor, backend: r.systems[0].process.first.Address}); err != nil {
		return err
	}
	if err := r.add(r.memory.gateway(ctx, &system{name: FromMem}, r.Log)); err != nil {
		return err
	}
	if r.Against != "" {
		if err := r.another(ctx); err != nil {
			return err
		}
	}
	if r.Short {
		return nil
	}
	if err := r.https(ctx); err != nil {
		return err
	}
	return r.federated(ctx)
}

func (r *run) add(s *system, err error) error {
	if err == nil {
		r.systems = append(r.systems, s)
	}
	return err
}

// bare starts a part that is no gateway; it bears the name of its system.
func (r *run) bare(ctx context.Context, j job) error {
	j.dir = r.memory.dir
	p, err := launch(ctx, j, r.Log)
	if err != nil {
		return err
	}
	s := &system{name: j.name, process: p, request: r.memory.request()}
	return r.add(s, s.connect(r.memory.dir, p.first.Address))
}

// another starts the gateway of another build.
func (r *run) another(ctx context.Context) error {
	house, err := newHouse(filepath.Join(r.dir, Another), true)
	if err != nil {
		return err
	}
	return r.add(house.gateway(ctx, &system{name: Another, program: r.Against}, r.Log))
}

// https starts a gateway whose adapter asks a care office's own system.
func (r *run) https(ctx context.Context) error {
	real, err := newHouse(filepath.Join(r.dir, HTTPS), false)
	if err != nil {
		return err
	}
	stop, err := real.sandbox(ctx, io.Discard)
	if err != nil {
		return err
	}
	r.stops = append(r.stops, stop)
	return r.add(real.gateway(ctx, &system{name: HTTPS}, r.Log))
}

// federated starts two gateways, of which the second has the source that answers from memory.
func (r *run) federated(ctx context.Context) error {
	two, err := newHouse(filepath.Join(r.dir, Peers), true)
	if err != nil {
		return err
	}
	if err := two.federate(); err != nil {
		return err
	}
	return r.add(two.gateway(ctx, &system{name: Peers}, r.Log, "peers/ZK5503"))
}
