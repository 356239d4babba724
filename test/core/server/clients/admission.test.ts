import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Admission } from '../../../../core/server/clients/admission.js';
import type { ClientConnection } from '../../../../core/server/clients/connection/client-connection.js';
import { ShareGroup } from '../../../../core/server/clients/connection/share-group.js';
import type { Packet } from '../../../../core/server/clients/connection/inbound.js';

/** Connections with requests, and a pipeline that can be full. A request takes `requestMs`. */
class Desk {
  readonly processed: string[] = [];
  isFull = false;
  requestMs = 0;
  #now = 0;
  readonly admission: Admission;

  constructor() {
    const full = (): boolean => this.isFull;
    this.admission = new Admission({
      pipeline: {
        get isFull() {
          return full();
        },
      },
      router: {
        route: (connection: unknown, packet: Packet) => {
          // As when the body is decoded: nothing of it is left to be read.
          (packet.body as { remaining: number }).remaining = 0;
          this.#route(connection as FakeConnection);
        },
      },
      turns: { wake: () => undefined },
      clock: { now: () => this.#now },
    } as never);
  }

  readonly #everybody = new ShareGroup('');

  connect(name: string, requests: string, group = this.#everybody): FakeConnection {
    const connection = new FakeConnection(name, requests, group);
    this.wake(connection);
    return connection;
  }

  wake(connection: FakeConnection): void {
    this.admission.wake(connection as unknown as ClientConnection);
  }

  /** The connections that were served in a turn, each once, in the order of their first requests. */
  turn(): readonly string[] {
    this.processed.length = 0;
    this.admission.work();
    this.admission.unstall();
    return [...new Set(this.processed)];
  }

  #route(connection: FakeConnection): void {
    this.processed.push(connection.name);
    this.#now += this.requestMs;
  }
}

/** `r` is a read, `w` a write. */
class FakeConnection {
  readonly name: string;
  isAwake = false;
  isInLongRead = false;
  heldBytes = 0;
  pingsAnswered = 0;
  requestBytes = 0;
  group: ShareGroup;
  #requests: string;

  constructor(name: string, requests: string, group: ShareGroup) {
    this.name = name;
    this.group = group;
    this.#requests = requests;
  }

  get outstanding(): number {
    return this.#requests.length;
  }

  get hasPackets(): boolean {
    return this.#requests.length > 0;
  }

  get isWriteNext(): boolean {
    return this.#requests.startsWith('w');
  }

  takePacket(): Packet | null {
    if (!this.hasPackets) return null;
    this.#requests = this.#requests.slice(1);
    const body = { remaining: this.requestBytes } as Packet['body'];
    return { xid: 0, op: 0, isWrite: false, body, arrivedAt: 0 };
  }

  add(requests: string): void {
    this.#requests += requests;
  }

  answerPings(): void {
    this.pingsAnswered += 1;
  }

  advance(): void {}

  settle(): void {}
}

test('a connection with one request is served before a hundred that have a thousand each', () => {
  const desk = new Desk();
  desk.requestMs = 0.1;
  for (let index = 0; index < 100; index++) desk.connect(`flood ${index}`, 'w'.repeat(1_000));
  desk.turn();
  desk.connect('quiet', 'r');
  assert.is(desk.turn()[0], 'quiet');
});

test('groups of connections take turns, however many connections one of them has', () => {
  const desk = new Desk();
  desk.requestMs = 1;
  const [tenant, other] = [new ShareGroup('ip:a'), new ShareGroup('ip:b')];
  for (let index = 0; index < 50; index++) desk.connect(`tenant ${index}`, 'r', tenant);
  desk.connect('other', 'r', other);
  assert.equal(desk.turn(), ['tenant 0', 'other', 'tenant 1', 'tenant 2', 'tenant 3']);

  const flooded = new Desk();
  flooded.requestMs = 1;
  for (let index = 0; index < 50; index++) flooded.connect(`tenant ${index}`, 'w'.repeat(1_000), tenant);
  flooded.connect('other', 'w'.repeat(1_000), other);
  assert.equal([flooded.turn(), flooded.turn(), flooded.turn()], [['tenant 0'], ['other'], ['tenant 1']]);
});

test('a connection with large requests, or a long read, waits for those that have asked for little', () => {
  const desk = new Desk();
  desk.requestMs = 0.1;
  const [large, long] = [desk.connect('large', ''), desk.connect('long', '')];
  large.heldBytes = 1_000_000;
  long.isInLongRead = true;
  desk.turn();
  for (const connection of [large, long]) {
    connection.add('r');
    desk.wake(connection);
  }
  desk.connect('quiet', 'r');
  assert.equal(desk.turn(), ['quiet', 'large', 'long']);
});

test('a connection with large requests has 64 KiB of them processed before the next one is served', () => {
  const desk = new Desk();
  desk.connect('large', 'r'.repeat(20)).requestBytes = 30_000;
  desk.connect('other', 'r');
  desk.turn();
  assert.equal(desk.processed.slice(0, 5), ['large', 'large', 'large', 'other', 'large']);
});

test('connections that flood are served in turn, a few requests each', () => {
  const desk = new Desk();
  desk.requestMs = 1;
  for (const name of ['a', 'b', 'c']) desk.connect(name, 'w'.repeat(100));
  const served = [desk.turn(), desk.turn(), desk.turn(), desk.turn()];
  assert.equal(served, [['a'], ['b'], ['c'], ['a']]);
});

test('a connection with many requests is served in every turn, however many others have few', () => {
  const desk = new Desk();
  desk.requestMs = 1;
  desk.connect('flood', 'r'.repeat(100));
  for (let index = 0; index < 50; index++) desk.connect(`quiet ${index}`, 'r');
  assert.ok(desk.turn().includes('flood'));
});

test('a turn processes a bounded number of requests, and the next one goes on', () => {
  const desk = new Desk();
  for (let index = 0; index < 10; index++) desk.connect(`flood ${index}`, 'r'.repeat(1_000));
  desk.turn();
  const { length } = desk.processed;
  assert.ok(length >= 4_000 && length < 4_100, String(length));
  assert.ok(desk.admission.hasWork);
  desk.turn();
  desk.turn();
  assert.not(desk.admission.hasWork);
});

test('reads pass a full write path, and writes wait for room while their pings are answered', () => {
  const desk = new Desk();
  desk.isFull = true;
  const writer = desk.connect('writer', 'wr');
  desk.connect('reader', 'r');
  desk.connect('both', 'rw');
  assert.equal(desk.turn(), ['reader', 'both']);
  assert.is(writer.pingsAnswered, 1);
  desk.wake(writer);
  assert.equal(desk.turn(), [], 'a stalled connection is not looked at again');

  desk.isFull = false;
  desk.admission.unstall();
  desk.turn();
  assert.equal(desk.processed, ['writer', 'writer', 'both']);
  assert.not(desk.admission.hasWork);
});

test('work that comes up while requests are processed belongs to the next turn', () => {
  const desk = new Desk();
  const connection = desk.connect('again', '');
  let visits = 0;
  connection.advance = () => {
    visits += 1;
    if (visits < 3) desk.wake(connection);
  };
  for (const expected of [1, 2, 3, 3]) {
    desk.turn();
    assert.is(visits, expected);
  }
});

test('nothing is processed once requests are not admitted any more', () => {
  const desk = new Desk();
  desk.connect('a', 'r'.repeat(100));
  desk.admission.stop();
  desk.connect('b', 'r');
  assert.equal(desk.turn(), []);
  assert.not(desk.admission.hasWork);
});

test.run();
