/** Load from our own client, in this process: so many sessions, each with so many requests unanswered at any time. */
import { connect, type Client, type ClientOptions } from '../../core/client/index.js';
import { cpuMicrosOf } from './machine.js';
import { quantile } from './figures.js';

export interface LoadSetting {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Of each session. */
  readonly outstanding: number;
  /** Processes of the members, for their share. */
  readonly pids: readonly number[];
}

/** Latencies in milliseconds, time of the processor for each operation in microseconds. */
export interface ClientLoadFigures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly membersCpu: number;
  readonly clientCpu: number;
}

/** Sessions over the hosts in turn; with `tls` over `wss`. */
export async function connectMany(
  hosts: readonly string[],
  count: number,
  tls?: ClientOptions['tls'],
): Promise<readonly Client[]> {
  const scheme = tls === undefined ? 'ws' : 'wss';
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      connect(`${scheme}://${hosts[index % hosts.length]}`, { tls }),
    ),
  );
}

/** `operate` is called again and again, by each session beside its other requests. */
export async function measureLoad(
  clients: readonly Client[],
  { seconds, warmUpSeconds, outstanding, pids }: LoadSetting,
  operate: (client: Client) => Promise<unknown>,
): Promise<ClientLoadFigures> {
  let latencies: number[] = [];
  const over = new AbortController();
  const work = async (client: Client): Promise<void> => {
    while (!over.signal.aborted) {
      const at = performance.now();
      await operate(client);
      latencies.push(performance.now() - at);
    }
  };
  const working = Promise.all(
    clients.flatMap((client) => Array.from({ length: outstanding }, () => work(client))),
  );
  const waiting = async (): Promise<Used> => {
    await sleep(warmUpSeconds * 1000);
    latencies = [];
    const before = used(pids);
    await sleep(seconds * 1000);
    return difference(used(pids), before);
  };
  // What the load throws ends the measurement.
  const during = await Promise.race([waiting(), working.then((): never => unreachable())]);
  const done = Float64Array.from(latencies).toSorted();
  over.abort();
  await working;
  return {
    perSecond: (1000 * done.length) / during.ms,
    p50: quantile(done, 0.5),
    p99: quantile(done, 0.99),
    max: done.at(-1) ?? Number.NaN,
    membersCpu: during.members / done.length,
    clientCpu: during.client / done.length,
  };
}

interface Used {
  readonly ms: number;
  readonly members: number;
  readonly client: number;
}

function used(pids: readonly number[]): Used {
  const { user, system } = process.cpuUsage();
  return { ms: performance.now(), members: cpuMicrosOf(pids), client: user + system };
}

function difference(after: Used, before: Used): Used {
  return {
    ms: after.ms - before.ms,
    members: after.members - before.members,
    client: after.client - before.client,
  };
}

function unreachable(): never {
  throw new Error('the load ended before its time');
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
