/** What every scenario of the npm clients gets: its root znode, its transcript, and ways to wait. */
import { connect as dial, createServer } from 'node:net';
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** The native client prints to standard output whenever it likes, so the transcript has a descriptor of its own. */
const TRANSCRIPT = 3;
const PATIENCE_MS = 30_000;
const POLL_MS = 5;

/** A line of the transcript. */
export function print(line) {
  writeSync(TRANSCRIPT, `${line}\n`);
}

export class Scenario {
  /** Closes each client that the scenario has opened. */
  #closers = [];
  #clients = 0;
  #harness;

  constructor(name, servers, harness) {
    this.root = `/${name}`;
    this.servers = servers;
    this.#harness = harness;
  }

  say(...words) {
    print(words.join(' '));
  }

  /** Says what came of it: what it returned, or the error. */
  async attempt(what, act) {
    this.say(`${what}:`, await outcome(act));
  }

  /** For a new client: the servers in turn, beginning with another one each time. */
  turn() {
    const turn = this.#clients++ % this.servers.length;
    return [...this.servers.slice(turn), ...this.servers.slice(0, turn)].join(',');
  }

  onClose(close) {
    this.#closers.push(close);
  }

  async finish() {
    for (const close of this.#closers) await close();
  }

  async until(what, condition) {
    const end = performance.now() + PATIENCE_MS;
    while (!(await condition())) {
      if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Waits for so many events in a list, then says and takes them all. */
  async sayEvents(what, events, count) {
    await this.until(`${count} of ${what}`, () => events.length >= count);
    this.say(`${what}:`, events.splice(0).join(', '));
  }

  /** Asks whoever started this program to do something with the servers. */
  async harness(request) {
    print(`@${request}`);
    const { value } = await this.#harness.next();
    if (value !== 'ok') throw new Error(`the harness did not do: ${request}`);
  }

  async relay() {
    const relay = await Relay.open(this.servers[0]);
    this.onClose(() => relay.close());
    return relay;
  }
}

export async function outcome(act) {
  try {
    return show(await act());
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

export function show(value) {
  if (Buffer.isBuffer(value)) return `'${value.toString()}'`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  return String(value);
}

/** Replies to harness requests, one a line. */
export function harnessReplies() {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  return { next: () => lines.next() };
}

/** Passes everything on to one server, until it is cut; then breaks each connection until it is mended. */
class Relay {
  #sockets = new Set();
  #isWhole = true;
  #server;

  static async open(target) {
    const relay = new Relay();
    const [host, port] = target.split(':');
    relay.#server = createServer((near) => relay.#pass(near, host, Number(port)));
    await new Promise((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get address() {
    return `127.0.0.1:${this.#server.address().port}`;
  }

  cut() {
    this.#isWhole = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isWhole = true;
  }

  close() {
    this.cut();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(near, host, port) {
    if (!this.#isWhole) {
      near.destroy();
      return;
    }
    const far = dial(port, host);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroySoon();
      });
      from.pipe(to);
    }
  }
}
