import {
  ErrorCode,
  JuteWriter,
  OpCode,
  type ReplyHeader,
  type RequestBodies,
  type ClientOp,
} from '../../../core/protocol/index.js';
import { describeArrival, type Names } from './describe.js';
import { clearRoot, closeSession } from './housekeeping.js';
import { isRaw, opOf, type Sent, type Step } from './step.js';
import { Wire, type Arrival } from './wire.js';

const NO_PASSWORD = new Uint8Array(16);
/** Further ahead than any server will come. */
const AHEAD = 1n << 40n;

/** What came of one step: of the slot that acted and, after that, of all others. */
export type Observation = readonly string[];

interface Slot {
  wire: Wire;
  readonly sessionId: bigint;
  readonly password: Uint8Array;
  readonly timeoutMs: number;
  lastZxid: bigint;
}

/** Plays steps to one server, one after the other, and writes down what comes back. */
export class Player implements Names {
  readonly #address: string;
  readonly #slots = new Map<number, Slot>();
  readonly #sessions: bigint[] = [];
  readonly #opened: { readonly sessionId: bigint; readonly password: Uint8Array }[] = [];
  /** The last zxid before the first step, and the last one that has been seen. */
  #base = 0n;
  #last = 0n;
  /** zxids of requests that could not be read: ZooKeeper gives them one if they could have been writes. */
  readonly #wasted: bigint[] = [];

  private constructor(address: string) {
    this.#address = address;
  }

  /** On an empty root, and leaves it as it may be. */
  static async play(address: string, steps: readonly Step[]): Promise<Observation[]> {
    const player = new Player(address);
    player.#base = await clearRoot(address);
    player.#last = player.#base;
    const observations: Observation[] = [];
    try {
      for (const step of steps) observations.push(await player.#observe(step));
      return observations;
    } finally {
      await player.#closeAll();
    }
  }

  ordinalOf(zxid: bigint): bigint {
    return zxid - this.#base - BigInt(this.#wasted.filter((wasted) => wasted <= zxid).length);
  }

  /** In the order in which they began. */
  sessionName(id: bigint): string {
    if (id === 0n) return 'nobody';
    if (!this.#sessions.includes(id)) this.#sessions.push(id);
    return `session ${this.#sessions.indexOf(id) + 1}`;
  }

  async #observe(step: Step): Promise<Observation> {
    const lines: string[] = [];
    await this.#act(step, lines);
    await this.#settle();
    // The slot that acted comes first: its zxids are those of the step.
    const order = [...this.#slots].sort(([one], [other]) => one - other);
    const acted = order.filter(([index]) => index === step.slot);
    for (const [index, slot] of [...acted, ...order.filter(([index]) => index !== step.slot)]) {
      const arrivals = this.#takeFrom(slot);
      // In which order a session's ephemerals go nobody promises.
      for (const arrival of isClose(step) ? eventsSorted(arrivals) : arrivals)
        lines.push(`${index}: ${arrival}`);
    }
    return lines;
  }

  async #act(step: Step, lines: string[]): Promise<void> {
    const slot = this.#slots.get(step.slot);
    switch (step.move) {
      case 'open':
        slot?.wire.destroy();
        return this.#open(step.slot, step.timeoutMs, step.readOnly);
      case 'drop':
        return slot?.wire.destroy();
      case 'resume':
        if (slot !== undefined) await this.#resume(slot, step);
        return;
      case 'send':
        if (slot === undefined || slot.wire.isClosed) lines.push('nobody is there to send it');
        else await this.#sendAll(slot, step.requests);
    }
  }

  async #sendAll(slot: Slot, requests: readonly Sent[]): Promise<void> {
    const segment = new JuteWriter();
    for (const sent of requests) {
      if (isRaw(sent)) slot.wire.addRaw(segment, sent.op, Buffer.from(sent.hex, 'hex'));
      else slot.wire.add(segment, opOf(sent), this.#bodyOf(slot, sent));
    }
    slot.wire.send(segment);
    await slot.wire.until(
      (arrivals) => arrivals.filter((arrival) => arrival.type === 'reply').length >= requests.length,
    );
  }

  #bodyOf(slot: Slot, sent: Exclude<Sent, { readonly hex: string }>): RequestBodies[ClientOp] {
    if (sent.op !== 'setWatches2') return sent.body;
    const { zxidsBehind, ...watches } = sent;
    return { ...watches, relativeZxid: this.#zxidBehind(slot.lastZxid, zxidsBehind) };
  }

  /** The zxid so many behind another: the same moment on every server, so wasted ones do not count. */
  #zxidBehind(last: bigint, count: number): bigint {
    let zxid = last;
    for (let left = count; left > 0; zxid--) if (!this.#wasted.includes(zxid)) left--;
    return zxid;
  }

  async #open(index: number, timeoutMs: number, readOnly: boolean | null): Promise<void> {
    const wire = new Wire(this.#address);
    const nobody = { protocolVersion: 0, lastZxidSeen: 0n, sessionId: 0n, password: NO_PASSWORD };
    wire.connect({ ...nobody, timeoutMs, readOnly });
    await wire.until((arrivals) => arrivals.length > 0);
    const [first] = wire.peek();
    if (first?.type !== 'connected')
      throw new Error(`a new session was refused by ${this.#address} after ${this.#sessions.length}`);
    const { sessionId, password } = first.response;
    this.#opened.push({ sessionId, password });
    this.#slots.set(index, { wire, sessionId, password, timeoutMs, lastZxid: 0n });
  }

  async #resume(slot: Slot, step: Extract<Step, { readonly move: 'resume' }>): Promise<void> {
    const old = slot.wire;
    const wire = new Wire(this.#address);
    wire.connect({
      protocolVersion: 0,
      lastZxidSeen: slot.lastZxid + (step.isAhead ? AHEAD : 0n),
      timeoutMs: step.timeoutMs ?? slot.timeoutMs,
      sessionId: slot.sessionId,
      password: step.password === 'right' ? slot.password : NO_PASSWORD,
      readOnly: false,
    });
    await wire.until((arrivals) => arrivals.length > 0);
    // What it could still have heard is a matter of chance.
    old.destroy();
    this.#slots.set(step.slot, { ...slot, wire });
  }

  /** Everything that the servers have sent until now has arrived: nothing overtakes the answer to a ping. */
  async #settle(): Promise<void> {
    await Promise.all(
      [...this.#slots.values()].map(async ({ wire }) => {
        // What ends the connection does so in its own time.
        if (wire.peek().some(isLast)) return wire.until(() => false);
        const segment = new JuteWriter();
        wire.add(segment, OpCode.ping, {});
        wire.send(segment);
        await wire.until((arrivals) => arrivals.some(isPong));
      }),
    );
  }

  #takeFrom(slot: Slot): string[] {
    const lines: string[] = [];
    for (const arrival of slot.wire.take()) {
      if (arrival.type === 'reply') this.#sawZxid(slot, arrival.header);
      if (!isPong(arrival)) lines.push(describeArrival(arrival, this));
    }
    return lines;
  }

  #sawZxid(slot: Slot, { xid, zxid, err }: ReplyHeader): void {
    if (err === ErrorCode.marshallingError || err === ErrorCode.reconfigDisabled) {
      for (let wasted = this.#last + 1n; wasted <= zxid; wasted++) this.#wasted.push(wasted);
    }
    if (zxid > this.#last) this.#last = zxid;
    if (zxid > 0n && xid > 0) slot.lastZxid = zxid;
  }

  async #closeAll(): Promise<void> {
    for (const { wire } of this.#slots.values()) wire.destroy();
    for (const { sessionId, password } of this.#opened) {
      await closeSession(this.#address, sessionId, password);
    }
  }
}

function isClose(step: Step): boolean {
  return step.move === 'send' && step.requests.some(({ op }) => op === OpCode.closeSession);
}

/** The events in front, in an order of their own. */
function eventsSorted(arrivals: readonly string[]): string[] {
  const isEvent = (arrival: string): boolean => arrival.startsWith('event ');
  return [...arrivals.filter(isEvent).sort(), ...arrivals.filter((arrival) => !isEvent(arrival))];
}

function isLast(arrival: Arrival): boolean {
  if (arrival.type !== 'reply') return false;
  const { header, op } = arrival;
  return (
    op === OpCode.closeSession ||
    header.err === ErrorCode.unimplemented ||
    header.err === ErrorCode.authFailed
  );
}

function isPong(arrival: Arrival): boolean {
  return arrival.type === 'reply' && arrival.header.xid === -2;
}
