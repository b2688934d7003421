// A client in Go that knows nothing of Stele but the schemas. It prints what it has seen, a JSON
// object a line; go_client_test.py says what that should be.
//
//	client pipeline ADDRESS DEFINITION
//	client follow ADDRESS DEFINITION
//	client work ADDRESS TYPE
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"capnproto.org/go/capnp/v3/rpc"

	"stele/client/api"
)

// Nobody waits so long unless something is wrong.
const patience = 50 * time.Second

func say(seen map[string]any) error {
	return json.NewEncoder(os.Stdout).Encode(seen)
}

type connection struct {
	conn *rpc.Conn
	gate api.Gate
}

func connect(ctx context.Context, address string) (connection, error) {
	socket, err := net.Dial("tcp", address)
	if err != nil {
		return connection{}, err
	}
	conn := rpc.NewConn(rpc.NewStreamTransport(socket), nil)
	return connection{conn, api.Gate(conn.Bootstrap(ctx))}, nil
}

// What nobody has asked for is not waited for: a session is used before it has come.
func (c connection) session(ctx context.Context) api.Session {
	answer, _ := c.gate.Anonymous(ctx, nil)
	return answer.Session()
}

func instancesOf(ctx context.Context, session api.Session) api.Instances {
	answer, _ := session.Instances(ctx, nil)
	return answer.Instances()
}

func start(ctx context.Context, instances api.Instances, definition string) api.Instances_start_Results_Future {
	started, _ := instances.Start(ctx, func(request api.StartRequest) error {
		return request.SetDefinition(definition)
	})
	return started
}

// From nobody to an instance that has ended: five calls, none of which waits for the one before.
func pipeline(ctx context.Context, c connection, definition string) error {
	instances := instancesOf(ctx, c.session(ctx))
	ended, release := start(ctx, instances, definition).Instance().Wait(ctx, func(p api.Instance_wait_Params) error {
		p.SetPatience(patience.Microseconds())
		return nil
	})
	defer release()
	answer, err := ended.Struct()
	if err != nil {
		return err
	}
	status, err := answer.Status()
	if err != nil {
		return err
	}
	word, err := status.Status()
	if err != nil {
		return err
	}
	if err := say(map[string]any{"instance": status.Id(), "status": word}); err != nil {
		return err
	}
	_, err = start(ctx, instances, "nobody").Struct()
	if err == nil {
		return errors.New("a definition that nobody registered was started")
	}
	return say(map[string]any{"refused": err.Error()})
}

type receiver struct {
	events chan map[string]any
}

func (r receiver) Next(_ context.Context, call api.EventReceiver_next) error {
	events, err := call.Args().Events()
	if err != nil {
		return err
	}
	for i := range events.Len() {
		name, err := events.At(i).Name()
		if err != nil {
			return err
		}
		r.events <- map[string]any{"event": name, "instance": events.At(i).Instance(),
			"position": events.At(i).Position()}
	}
	return nil
}

func (r receiver) End(context.Context, api.EventReceiver_end) error {
	close(r.events)
	return nil
}

// All events of the definition's instances, up to the first end of one.
func follow(ctx context.Context, c connection, definition string) error {
	session := c.session(ctx)
	log, releaseLog := session.Log(ctx, nil)
	defer releaseLog()
	events := receiver{make(chan map[string]any, 1000)}
	following, release := log.Log().Follow(ctx, func(p api.Log_follow_Params) error {
		filter, err := p.NewFilter()
		if err != nil {
			return err
		}
		if err := filter.SetDefinition(definition); err != nil {
			return err
		}
		from, err := p.NewFrom()
		if err != nil {
			return err
		}
		from.SetPosition(1)
		return p.SetReceiver(api.EventReceiver_ServerToClient(events))
	})
	defer release()
	if _, err := following.Struct(); err != nil {
		return err
	}
	if _, err := start(ctx, instancesOf(ctx, session), definition).Struct(); err != nil {
		return err
	}
	for event := range events.events {
		if err := say(event); err != nil {
			return err
		}
		if event["event"] == "instance_completed" {
			return nil
		}
	}
	return errors.New("the stream ended before the instance did")
}

type worker struct {
	done chan string
}

func (w worker) Run(ctx context.Context, call api.Worker_run) error {
	task, err := call.Args().Task()
	if err != nil {
		return err
	}
	key, err := task.Key()
	if err != nil {
		return err
	}
	control := call.Args().Control()
	beat, release := control.Heartbeat(ctx, func(p api.TaskControl_heartbeat_Params) error {
		return p.SetDetail("half of it")
	})
	defer release()
	if _, err := beat.Struct(); err != nil {
		return err
	}
	results, err := call.AllocResults()
	if err != nil {
		return err
	}
	result, err := results.NewResult()
	if err != nil {
		return err
	}
	w.done <- key
	return result.SetOutput(fmt.Sprintf(`{"by": "go", "key": %q}`, key))
}

// Does one task and leaves.
func work(ctx context.Context, c connection, taskType string) error {
	workers, releaseWorkers := c.session(ctx).Workers(ctx, nil)
	defer releaseWorkers()
	hand := worker{make(chan string, 1000)}
	joined, release := workers.Workers().Join(ctx, func(p api.Workers_join_Params) error {
		types, err := p.NewTypes(1)
		if err != nil {
			return err
		}
		if err := types.Set(0, taskType); err != nil {
			return err
		}
		p.SetSlots(2)
		if err := p.SetName("gopher"); err != nil {
			return err
		}
		return p.SetWorker(api.Worker_ServerToClient(hand))
	})
	defer release()
	if _, err := joined.Struct(); err != nil {
		return err
	}
	if err := say(map[string]any{"joined": true}); err != nil {
		return err
	}
	key := <-hand.done
	left, releaseLeft := joined.Membership().Leave(ctx, nil)
	defer releaseLeft()
	if _, err := left.Struct(); err != nil {
		return err
	}
	return say(map[string]any{"did": key})
}

func run(words []string) error {
	courses := map[string]func(context.Context, connection, string) error{
		"pipeline": pipeline, "follow": follow, "work": work}
	if len(words) != 3 || courses[words[0]] == nil {
		return errors.New("expected pipeline, follow or work, an address and a name")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	c, err := connect(ctx, words[1])
	if err != nil {
		return err
	}
	defer c.conn.Close()
	return courses[words[0]](ctx, c, words[2])
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
