import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OutcomeUnknownError, type Client, type ConnectionState } from '../../../core/client/index.js';
import { TestEnsemble, type SeenRequest } from '../../../core/testing/index.js';

function recordStates(client: Client): ConnectionState[] {
  const states: ConnectionState[] = [];
  client.onState((state) => states.push(state));
  return states;
}

test('a scenario runs in virtual time, with real member and clients', async () => {
  await TestEnsemble.play(async (ensemble) => {
    const [writer, reader] = [await ensemble.client(), await ensemble.client()];

    await writer.create('/greeting', 'hello');
    await ensemble.sleep(3_000_000);

    await reader.sync('/greeting');
    assert.is(Buffer.from((await reader.getData('/greeting')).data!).toString(), 'hello');
  });
});

test('the same seed gives the same run', async () => {
  const run = async (seed: number): Promise<string> => {
    let trace = '';
    const scenario = async (ensemble: TestEnsemble): Promise<void> => {
      const client = await ensemble.client();
      client.onState((state) => (trace += `${state} at ${ensemble.clock.now()};`));
      for (let round = 0; round < 5; round++) {
        ensemble.loseConnection(client);
        await client.exists('/');
      }
      trace += `${client.session.id} ${client.random.uuid()}`;
    };
    await TestEnsemble.play(scenario, { seed });
    return trace;
  };

  assert.is(await run(5), await run(5));
  assert.is.not(await run(5), await run(6));
});

test('a lost connection is taken up again in the same session', async () => {
  await TestEnsemble.play(async (ensemble) => {
    const client = await ensemble.client();
    const states = recordStates(client);
    const { id } = client.session;

    ensemble.loseConnections();
    await client.exists('/');

    assert.equal(states, ['suspended', 'connected']);
    assert.is(client.session.id, id);
  });
});

test('a request lost before the member saw it, and one whose reply was lost, end differently in the tree', async () => {
  await TestEnsemble.play(async (ensemble) => {
    const client = await ensemble.client();

    const unseen = ensemble.loseNextRequest(client, { path: '/unseen' });
    const unseenError = await client.create('/unseen').catch((error: unknown) => error);
    await unseen;
    const carriedOut = ensemble.loseNextReply(client, { op: ['create', 'setData'], path: /^\/carried/ });
    const carriedOutError = await client.create('/carried-out').catch((error: unknown) => error);
    await carriedOut;

    assert.instance(unseenError, OutcomeUnknownError);
    assert.instance(carriedOutError, OutcomeUnknownError);
    assert.is(await client.exists('/unseen'), null);
    assert.is.not(await client.exists('/carried-out'), null);
  });
});

test('what was answered before the lost reply arrives, what stood behind it does not', async () => {
  await TestEnsemble.play(async (ensemble) => {
    const client = await ensemble.client();
    void ensemble.loseNextReply(client, { path: '/b' });

    const outcomes = await Promise.allSettled(['/a', '/b', '/c'].map((path) => client.create(path)));

    assert.equal(
      outcomes.map((outcome) => outcome.status),
      ['fulfilled', 'rejected', 'rejected'],
    );
    assert.equal((await client.getChildren('/')).children, ['a', 'b', 'c', 'zookeeper']);
  });
});

test('the operations of a multi are seen by a pattern', async () => {
  await TestEnsemble.play(async (ensemble) => {
    const client = await ensemble.client();
    const lost = ensemble.loseNextReply(client, { op: 'create', path: '/in-multi' });

    const outcome = await client
      .multi([{ type: 'create', path: '/in-multi' }])
      .catch((error: unknown) => error);
    await lost;

    assert.instance(outcome, OutcomeUnknownError);
    assert.is.not(await client.exists('/in-multi'), null);
  });
});

test('an expired session loses its ephemerals, and the client gets the next session', async () => {
  await TestEnsemble.play(async (ensemble) => {
    const [client, other] = [await ensemble.client(), await ensemble.client()];
    const states = recordStates(client);
    await client.create('/mine', null, { mode: 'ephemeral' });
    const { signal } = client.session;

    await ensemble.expireSession(client);

    assert.ok(states.includes('lost'));
    assert.ok(signal.aborted);
    assert.is(client.session.epoch, 2);
    await other.sync('/');
    assert.is(await other.exists('/mine'), null);
  });
});

test('a member that crashed comes back with all that it acknowledged, and sessions go on', async () => {
  await TestEnsemble.play(async (ensemble) => {
    const client = await ensemble.client();
    const { id } = client.session;
    for (let round = 0; round < 8; round++) {
      await client.create(`/before-${round}`, 'x'.repeat(20_000));
      ensemble.crashMember('random');
      await ensemble.sleep(200);
      await ensemble.restartMember();
      await ensemble.until(() => client.state === 'connected');
    }

    const { children } = await client.getChildren('/');

    assert.is(children.filter((name) => name.startsWith('before-')).length, 8);
    assert.is(client.session.id, id);
  });
});

test('of a dead member nothing is left: no timer, no answer', async () => {
  const ensemble = new TestEnsemble();
  await ensemble.clock.waitFor(ensemble.start(), 60_000);
  assert.ok(ensemble.clock.pendingTimers > 0);

  ensemble.crashMember('keep');

  assert.is(ensemble.clock.pendingTimers, 0);
  await ensemble.clock.waitFor(ensemble.close(), 60_000);
});

test('a member that stands still answers nothing, and then everything', async () => {
  await TestEnsemble.play(async (ensemble) => {
    const client = await ensemble.client({ sessionTimeoutMs: 30_000 });
    ensemble.pauseMember();
    let isAnswered = false;

    const creating = client.create('/slow').then(() => (isAnswered = true));
    await ensemble.sleep(5_000);
    assert.is(isAnswered, false);
    ensemble.resumeMember();
    await creating;
  });
});

test('a line that stands still delays everything and loses nothing', async () => {
  await TestEnsemble.play(async (ensemble) => {
    const client = await ensemble.client({ sessionTimeoutMs: 30_000 });
    const line = ensemble.lineOf(client);
    line.pause();
    let isAnswered = false;

    const creating = client.create('/slow').then(() => (isAnswered = true));
    await ensemble.sleep(5_000);
    assert.is(isAnswered, false);
    line.rejoin();
    await creating;
  });
});

test('a failed sync of the disk stops the member; after a restart it serves again', async () => {
  await TestEnsemble.play(async (ensemble) => {
    const client = await ensemble.client({ sessionTimeoutMs: 30_000 });
    await client.create('/kept');
    let failure: Error | null = null;
    ensemble.member.onFailure((error) => (failure = error));

    ensemble.disk.fail({ operation: 'sync' });
    await client.create('/lost').catch(() => undefined);
    await ensemble.until(() => failure !== null);
    await ensemble.restartMember();

    assert.is.not(await client.exists('/kept'), null);
  });
});

test('the requests of a client can be watched on their way', async () => {
  await TestEnsemble.play(async (ensemble) => {
    const client = await ensemble.client({ chroot: '/app' });
    const seen: SeenRequest[] = [];
    const stop = ensemble.lineOf(client).observe((request) => seen.push(request));

    await client.create('/', null).catch(() => undefined);
    await client.exists('/one');
    stop();
    await client.exists('/two');

    assert.equal(
      // The client looks by itself whether the root of its paths is there.
      seen.filter(({ op, path }) => op === 'exists' && path !== '/app').map(({ path }) => path),
      ['/app/one'],
    );
  });
});

test('a scenario that leaves a timer behind fails', async () => {
  const playing = TestEnsemble.play(async (ensemble) => {
    ensemble.clock.setTimer(5_000_000, () => undefined);
  });

  const error = await playing.catch((reason: unknown) => reason);

  assert.match((error as Error).message, '1 timers are left behind');
});

test('an error of the scenario comes out, with everything closed', async () => {
  const playing = TestEnsemble.play(async (ensemble) => {
    await ensemble.client();
    throw new Error('the test failed');
  });

  assert.is(((await playing.catch((reason: unknown) => reason)) as Error).message, 'the test failed');
});

test.run();
