import * as assert from 'uvu/assert';
import {
  FairLock,
  LeaderOnly,
  Service,
  Worker,
  WorkQueue,
  type Job,
  type LeaderContext,
} from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';
import { LASTING_SESSION_MS } from '../engine.js';

export const shutdown: Behaviours = {
  'a client that closes frees its lock at once, not when its session would have expired': async (place) => {
    const holder = await place.client();
    await new FairLock(holder, 'door').acquire();
    const next = new FairLock(await place.client(), 'door').acquire();
    const closedAt = performance.now();
    await holder.close();
    await next;
    assert.ok(performance.now() - closedAt < LASTING_SESSION_MS / 2);
  },

  'an application that stops finishes the job in hand, takes no other, and leaves nothing behind': async (
    place,
  ) => {
    const done: string[] = [];
    let finish: (() => void) | undefined;
    @Service({ name: 'desk' })
    class Desk {}
    @LeaderOnly({ name: 'desk' })
    class Head {
      async run({ signal }: LeaderContext): Promise<void> {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }
    }
    @Worker({ queue: 'letters' })
    class Letters {
      async handle({ data }: Job<string>): Promise<void> {
        await new Promise<void>((resolve) => (finish = resolve));
        done.push(data);
      }
    }
    const app = await place.participant().run({ declare: [Desk, Head, Letters], drainDeadlineMs: 20_000 });
    const client = await place.client();
    const queue = new WorkQueue<string>(client, 'letters');
    await queue.enqueue('first');
    await queue.enqueue('second');
    await place.until(() => finish !== undefined);

    const stopping = app.stop();
    await place.until(() => app.state === 'draining');
    finish!();
    await stopping;
    assert.equal(done, ['first']);
    await client.sync('/');
    const { jobs, consumers } = await queue.counts();
    assert.equal({ jobs, consumers }, { jobs: 1, consumers: 0 });
    assert.equal(
      (await queue.list()).map(({ state }) => state),
      ['waiting'],
    );
    for (const path of ['/services/desk', '/leaders/desk']) {
      assert.equal((await client.getChildren(path).catch(() => ({ children: [] }))).children, [], path);
    }
  },

  "work in hand is aborted at the deadline, and the job is another worker's at once": async (place) => {
    let started = 0;
    const workerThat = (obeys: boolean): new () => object => {
      @Worker({ queue: 'slow' })
      class Slow {
        async handle({ signal }: Job<string>): Promise<string> {
          started++;
          if (!obeys) await new Promise((resolve) => signal.addEventListener('abort', resolve));
          return 'done';
        }
      }
      return Slow;
    };
    const app = await place.participant().run({ declare: [workerThat(false)] });
    const queue = new WorkQueue<string>(await place.client(), 'slow');
    const id = await queue.enqueue('x');
    await place.until(() => started === 1);
    await app.stop({ deadlineMs: 50 });
    await place.participant().run({ declare: [workerThat(true)] });
    assert.is(await queue.result(id), 'done');
    assert.is(started, 2);
  },

  'a session that is closed leaves no ephemeral, and no client, behind': async (place) => {
    const client = await place.client();
    const witness = await place.client();
    await client.create('/here', null, { mode: 'ephemeral' });
    const pending = client.create('/last', 'word');
    await client.close();
    assert.is((await pending).path, '/last');
    await witness.sync('/');
    assert.is(await witness.exists('/here'), null);
    assert.ok((await witness.exists('/last')) !== null);
    assert.is(client.state, 'closed');
  },
};
