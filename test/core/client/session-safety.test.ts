import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient, type Client } from '../../../core/client/index.js';
import { SeededRandom, type Clock, type Timer } from '../../../core/runtime/index.js';
import { VirtualClock } from '../../../core/testing/index.js';
import { MemoryNetwork } from '../../../core/transport/index.js';
import { ScriptedServer } from './scripted-server.js';
import { ScriptedWorld } from './scripted-world.js';

const TIMEOUT_MS = 6000;
const RUN_MS = 120_000;

/** The clock of a machine on which a second takes longer or shorter than on the servers. */
class DriftingClock implements Clock {
  readonly #clock: Clock;
  readonly #rate: number;

  constructor(clock: Clock, rate: number) {
    this.#clock = clock;
    this.#rate = rate;
  }

  now(): number {
    return this.#clock.now() * this.#rate;
  }

  wall(): number {
    return this.#clock.wall();
  }

  setTimer(delayMs: number, task: () => void): Timer {
    return this.#clock.setTimer(delayMs / this.#rate, task);
  }

  soon(task: () => void): void {
    this.#clock.soon(task);
  }
}

/** Servers that expire a session exactly one timeout after they last heard of it, as strictly as any may. */
class StrictEnsemble {
  readonly world = new ScriptedWorld();
  readonly servers: ScriptedServer[];
  readonly expired: bigint[] = [];
  readonly #clock: Clock;
  readonly #expiry = new Map<bigint, Timer>();

  constructor(network: MemoryNetwork, clock: Clock, onExpiry: (session: bigint) => void) {
    this.#clock = clock;
    this.servers = ['a', 'b', 'c'].map(
      (host) => new ScriptedServer(network, clock, `memory://${host}:1`, this.world),
    );
    const touch = (session: bigint): void => {
      this.#expiry.get(session)?.cancel();
      const expire = (): void => {
        this.world.end(session);
        this.expired.push(session);
        onExpiry(session);
      };
      this.#expiry.set(session, this.#clock.setTimer(TIMEOUT_MS, expire));
    };
    for (const server of this.servers) {
      server.greet = ({ sessionId }, link) => {
        // A new session has its id only after the greeting.
        if (sessionId === 0n) this.#clock.soon(() => touch(link.sessionId));
        else if (this.world.sessions.has(sessionId)) touch(sessionId);
        return 'grant';
      };
      server.respond = (_, link) => {
        if (this.world.sessions.has(link.sessionId)) touch(link.sessionId);
        return undefined;
      };
    }
  }
}

/** Lets links fall silent, break, and servers go away and come back. */
function disturb(ensemble: StrictEnsemble, random: SeededRandom): void {
  const server = ensemble.servers[Math.floor(random.next() * 3)]!;
  const chance = random.next();
  if (chance < 0.3) for (const link of server.links) link.isMute = true;
  else if (chance < 0.5) for (const link of server.links) link.cut();
  else if (chance < 0.7) ensemble.servers.forEach((each) => each.down());
  else ensemble.servers.forEach((each) => each.up());
}

async function run(seed: number): Promise<{ readonly expired: number; readonly epochs: number }> {
  const random = new SeededRandom(seed);
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock, { latencyMs: () => 1 + random.next() ** 4 * 1500 });
  const tooLate: bigint[] = [];
  const held = new Map<bigint, AbortSignal>();
  const ensemble = new StrictEnsemble(network, clock, (session) => {
    if (held.get(session)?.aborted === false) tooLate.push(session);
  });
  const client: Client = createClient('memory://a:1,b:1,c:1', {
    sessionTimeoutMs: TIMEOUT_MS,
    clock: new DriftingClock(clock, 0.985 + random.next() * 0.03),
    random: new SeededRandom(seed),
    dialer: network,
  });
  client.onState((state, session) => {
    if (state === 'connected') held.set(session.id, session.signal);
  });
  while (clock.now() < RUN_MS) {
    await clock.advance(random.next() * 3000);
    disturb(ensemble, random);
    if (random.next() < 0.5) client.exists('/').catch(() => undefined);
  }
  assert.equal(tooLate, [], `seed ${seed}: a session expired while its client still relied upon it`);
  ensemble.servers.forEach((each) => each.up());
  for (const link of ensemble.servers.flatMap(({ links }) => links)) link.isMute = false;
  await clock.waitFor(client.connected(), 60_000);
  const epochs = client.session.epoch;
  await clock.waitFor(client.close(), 10_000);
  return { expired: ensemble.expired.length, epochs };
}

test('whatever the network does, and with a clock that is off by over one per cent, a client knows of the end of its session before any server may expire it', async () => {
  let expired = 0;
  let epochs = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const outcome = await run(seed);
    expired += outcome.expired;
    epochs += outcome.epochs;
  }
  assert.ok(expired > 60, `only ${expired} sessions expired: too little was disturbed`);
  assert.ok(epochs > 120, `only ${epochs} sessions were used`);
});

test.run();
