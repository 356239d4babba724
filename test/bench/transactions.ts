/** What one transaction costs that nothing divides: the turn of a leader that prepares it, and of a follower that applies it. */
import { decodeTxn, encodeTxn, RequestPreparer, StateMachine } from '../../core/data/index.js';
import { OpCode, type Acl, type RequestBodies } from '../../core/protocol/index.js';
import type { Bench, BenchRun } from './bench-run.js';
import { median, table } from './figures.js';
import type { Section } from './results.js';

type WriteRequest = Parameters<RequestPreparer['prepare']>[0];
type MultiOp = RequestBodies[typeof OpCode.multi]['ops'][number];

const OPERATIONS = 1_000;
const MEBIBYTE = 1024 * 1024;
const SESSION = 1n;
const OPEN: readonly Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
/** The first ones are slower: the code is not compiled yet. */
const WARM_UP = 10;
const ROUNDS = { full: 200, quick: 40 };

export const transactions: Bench = { name: 'transactions', needsTools: false, run: measure };

/** Milliseconds of the processor. */
interface Cost {
  readonly prepare: number;
  readonly encode: number;
  readonly decode: number;
  readonly apply: number;
}

async function measure(run: BenchRun): Promise<Section> {
  const rounds = run.isQuick ? ROUNDS.quick : ROUNDS.full;
  const rows = Object.entries(KINDS).map(([name, requestOf]) => {
    run.note(name);
    const machine = new OneMachine();
    machine.write(multiOf((at) => createOf(`/s${at}`, 50)));
    const costs = Array.from({ length: rounds + WARM_UP }, (_, round) => machine.write(requestOf(round)));
    return [name, ...figuresOf(costs.slice(WARM_UP))];
  });
  return {
    title: 'What one transaction costs',
    about:
      'Milliseconds of the processor, medians: a leader prepares, encodes and applies a transaction, a follower decodes and applies it. ' +
      'Nothing divides one transaction: with the size of a packet this bounds a turn ([LIMITS](../../core/server/LIMITS.md)).',
    commands: [`npm run bench -- --only transactions${run.isQuick ? ' --quick' : ''}`],
    body: table([['transaction', 'prepare', 'encode', 'decode', 'apply', 'leader', 'follower'], ...rows]),
  };
}

function figuresOf(costs: readonly Cost[]): number[] {
  const of = (step: keyof Cost): number => median(costs.map((cost) => cost[step]));
  const [prepare, encode, decode, apply] = [of('prepare'), of('encode'), of('decode'), of('apply')];
  return [prepare, encode, decode, apply, prepare + encode + apply, decode + apply];
}

const KINDS: Readonly<Record<string, (round: number) => WriteRequest>> = {
  '1,000 creates': (round) => multiOf((at) => createOf(`/c${round * OPERATIONS + at}`, 50)),
  '1,000 creates and deletes': () =>
    multiOf((at) =>
      at % 2 === 0
        ? createOf(`/c${at}`, 50)
        : { op: OpCode.delete, body: { path: `/c${at - 1}`, version: -1 } },
    ),
  '1,000 setData': () =>
    multiOf((at) => ({
      op: OpCode.setData,
      body: { path: `/s${at}`, data: new Uint8Array(50), version: -1 },
    })),
  '1,000 checks': () => multiOf(() => ({ op: OpCode.check, body: { path: '/', version: -1 } })),
  '1 MiB of data': () => ({
    op: OpCode.setData,
    body: { path: '/', data: new Uint8Array(MEBIBYTE).fill(7), version: -1 },
  }),
};

function multiOf(opAt: (at: number) => MultiOp): WriteRequest {
  return { op: OpCode.multi, body: { ops: Array.from({ length: OPERATIONS }, (_, at) => opAt(at)) } };
}

function createOf(path: string, bytes: number): MultiOp {
  return { op: OpCode.create, body: { path, data: new Uint8Array(bytes), acl: OPEN, flags: 0, ttlMs: 0 } };
}

/** A leader and a follower in one: each transaction is applied as soon as it was prepared. */
class OneMachine {
  readonly #machine = new StateMachine();
  readonly #preparer = new RequestPreparer(this.#machine, {
    maxTxnBytes: 8 * MEBIBYTE,
    maxDataBytes: 2 * MEBIBYTE,
  });
  #zxid = 1n << 32n;

  constructor() {
    this.write({ op: OpCode.createSession, body: { timeoutMs: 10_000 } });
  }

  write(request: WriteRequest): Cost {
    this.#zxid += 1n;
    const context = { sessionId: SESSION, cxid: 1, identities: [], wallMs: Number(this.#zxid & 0xffffn) };
    const [txn, prepare] = timed(() => this.#preparer.prepare(request, context, this.#zxid));
    const [bytes, encode] = timed(() => encodeTxn(txn));
    const [decoded, decode] = timed(() => decodeTxn(bytes));
    const [{ error }, apply] = timed(() => this.#machine.apply(this.#zxid, decoded));
    this.#preparer.applied(this.#zxid);
    if (error !== 0) throw new Error(`the transaction was refused with ${error}`);
    return { prepare, encode, decode, apply };
  }
}

/** With the milliseconds of the processor that it took. */
function timed<T>(act: () => T): [T, number] {
  const before = process.cpuUsage();
  const value = act();
  const { user, system } = process.cpuUsage(before);
  return [value, (user + system) / 1_000];
}
