import {
  JuteWriter,
  OpCode,
  readConnectResponse,
  readReplyBody,
  readReplyHeader,
  splitPackets,
  writeConnectRequest,
  writeRequest,
  type JuteReader,
  type Reply,
  type Request,
} from '../../../core/protocol/index.js';
import type { Connection } from '../../../core/transport/index.js';
import type { Actor } from '../actor.js';
import { ReaderHistory } from '../checkers/reader-history.js';

const MAX_PACKET_BYTES = 1024 * 1024;
const READS_AT_ONCE = 6;
const TRAINS = 4;
const PATHS = ['/r/0', '/r/1', '/n', '/t', '/acl/a', '/bursts'];

/**
 * Comes to one member after the other with a connect request that asks to read only, as no client of ours does: with a leader or
 * without, it never sees less than it has seen before.
 */
export async function readers(actor: Actor): Promise<void> {
  const { ghost, model } = actor.world;
  const history = new ReaderHistory(actor.name, { ghost, model });
  while (!actor.isOver) {
    await visit(actor, history);
    await actor.think();
  }
}

async function visit(actor: Actor, history: ReaderHistory): Promise<void> {
  const { plan, cluster } = actor.world;
  const patience = new AbortController();
  const timer = actor.process.setTimer(plan.sessionMs, () => patience.abort());
  const dialer = actor.process.dialer(cluster.network.host(actor.name));
  const { address } = actor.pick(cluster.members);
  const connection = await dialer.dial(address, { signal: patience.signal }).catch(() => null);
  timer.cancel();
  if (connection === null) return;
  const reader = new Reader(actor, connection, history);
  if (await reader.greet()) {
    for (let train = 0; train < TRAINS && reader.isOpen && !actor.isOver; train++) {
      reader.ask();
      await actor.think();
    }
  }
  connection.close({ code: 1000, text: '' });
}

/** One connection of a client that reads only. */
class Reader {
  readonly #actor: Actor;
  readonly #connection: Connection;
  readonly #history: ReaderHistory;
  readonly #asked: Request[] = [];
  #isReadOnly: boolean | null = null;
  #greeted: (isAccepted: boolean) => void = () => undefined;
  #xid = 0;
  isOpen = true;

  constructor(actor: Actor, connection: Connection, history: ReaderHistory) {
    this.#actor = actor;
    this.#connection = connection;
    this.#history = history;
    connection.handle({
      message: (bytes) => {
        for (const packet of splitPackets(bytes, MAX_PACKET_BYTES))
          actor.world.referee.watch(() => this.#received(packet));
      },
      closed: () => this.#ended(),
    });
  }

  /** Resolves with whether the member lets the client in. */
  greet(): Promise<boolean> {
    const { plan } = this.#actor.world;
    const writer = new JuteWriter();
    writeConnectRequest(writer, {
      protocolVersion: 0,
      lastZxidSeen: this.#history.lastZxidSeen,
      timeoutMs: plan.sessionMs,
      sessionId: 0n,
      password: new Uint8Array(16),
      readOnly: true,
    });
    this.#connection.send(writer.take());
    const timer = this.#actor.process.setTimer(plan.sessionMs, () => this.#ended());
    return new Promise((resolve) => {
      this.#greeted = (isAccepted) => {
        timer.cancel();
        resolve(isAccepted);
      };
    });
  }

  /** Some reads; to a member without a leader now and then a write, too. */
  ask(): void {
    const { random } = this.#actor;
    const writer = new JuteWriter();
    for (let left = 1 + Math.floor(random.next() * READS_AT_ONCE); left > 0; left--) {
      const path = this.#actor.pick(PATHS);
      const isWrite = this.#isReadOnly === true && random.next() < 0.2;
      const request: Request = isWrite
        ? { op: OpCode.setData, body: { path, data: null, version: -1 } }
        : this.#actor.pick([
            { op: OpCode.getData, body: { path, watch: false } },
            { op: OpCode.getChildren2, body: { path, watch: false } },
            { op: OpCode.exists, body: { path, watch: false } },
          ]);
      this.#asked.push(request);
      writeRequest(writer, (this.#xid += 1), request.op, request.body);
    }
    this.#connection.send(writer.take());
  }

  #received(packet: JuteReader): void {
    if (this.#isReadOnly === null) {
      const { sessionId, readOnly } = readConnectResponse(packet);
      this.#isReadOnly = readOnly === true;
      return this.#greeted(sessionId !== 0n);
    }
    const { zxid, err: error } = readReplyHeader(packet);
    const request = this.#asked.shift()!;
    const reply = error === 0 ? ({ op: request.op, body: readReplyBody(request.op, packet) } as Reply) : null;
    if (request.op === OpCode.setData) this.#history.wrote({ zxid, error, reply });
    else this.#history.read(request, { zxid, error, reply });
  }

  #ended(): void {
    this.isOpen = false;
    this.#greeted(false);
  }
}
