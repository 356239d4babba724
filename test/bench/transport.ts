/** Our own client over WebSocket, on durable members: what the transport and the client themselves take. */
import type { Client, ClientOptions } from '../../core/client/index.js';
import { EnsembleProcess } from '../process/ensemble-process.js';
import type { Bench, BenchRun } from './bench-run.js';
import { connectMany, measureLoad, type ClientLoadFigures } from './client-load.js';
import { table } from './figures.js';
import type { Section } from './results.js';

const MEMBERS = [3, 1];
const ZNODES = 1000;
const LEVEL = ['--log-level', 'warn'];
const SHAPES = [
  { sessions: 30, outstanding: 16 },
  { sessions: 1, outstanding: 1 },
];
const SIZES = [128, 1024];
const SECONDS = { full: { seconds: 5, warmUpSeconds: 3 }, quick: { seconds: 1, warmUpSeconds: 1 } };

export const transport: Bench = { name: 'transport', needsTools: false, run: measure };

async function measure(run: BenchRun): Promise<Section> {
  const parts: string[] = [];
  for (const voters of MEMBERS) {
    await using ensemble = await EnsembleProcess.start({ voters, flags: LEVEL });
    const rows: (string | number)[][] = [
      ['operation', 'sessions × outstanding', '/s', 'p50 ms', 'p99 ms', 'members, CPU µs', 'client, CPU µs'],
    ];
    for (const { sessions, outstanding } of SHAPES) {
      for (const bytes of SIZES) {
        run.note(`${voters} members, ${sessions} sessions, ${bytes} bytes`);
        for (const [name, figures] of await measureShape(ensemble, { sessions, outstanding, bytes, run }))
          rows.push([`${name} ${bytes} B`, `${sessions} × ${outstanding}`, ...cells(figures)]);
      }
    }
    parts.push(`### ${voters === 1 ? 'One member' : 'Three members'}\n\n${table(rows)}`);
  }
  const { seconds } = run.isQuick ? SECONDS.quick : SECONDS.full;
  return {
    title: 'WebSocket, with our own client',
    about:
      `The client of \`quorate/client\`, all sessions in one process, on members with default settings, every write synced to disk; ${ZNODES} znodes, ` +
      `${seconds} s each. Time of the processor is for one operation, of all members together, and of the process of the clients.`,
    commands: [`npm run bench -- --only transport${run.isQuick ? ' --quick' : ''}`],
    body: parts.join('\n\n'),
  };
}

function cells({ perSecond, p50, p99, membersCpu, clientCpu }: ClientLoadFigures): number[] {
  return [perSecond, p50, p99, membersCpu, clientCpu];
}

export interface Shape {
  readonly sessions: number;
  readonly outstanding: number;
  readonly bytes: number;
  readonly run: BenchRun;
  /** Of the clients; without it they connect in clear. */
  readonly tls?: ClientOptions['tls'];
}

/** Loads of sets, gets and both. */
export async function measureShape(
  ensemble: EnsembleProcess,
  setting: Shape,
): Promise<readonly (readonly [string, ClientLoadFigures])[]> {
  const { sessions, outstanding, bytes, run } = setting;
  const hosts = ensemble.ids.map((id) => `127.0.0.1:${ensemble.portOf(id)}`);
  const clients = await connectMany(hosts, sessions, setting.tls);
  const data = new Uint8Array(bytes).fill(120);
  const pathOf = (index: number): string => `/t${bytes}/n${index % ZNODES}`;
  await makeZnodes(clients[0]!, bytes, data);
  let turn = 0;
  const next = (): string => pathOf(turn++);
  const operations: readonly (readonly [string, (client: Client) => Promise<unknown>])[] = [
    ['set', (client) => client.setData(next(), data)],
    ['get', (client) => client.getData(next())],
    ['90 % get', (client) => (turn % 10 === 0 ? client.setData(next(), data) : client.getData(next()))],
  ];
  const pids = ensemble.ids.map((id) => ensemble.member(id).pid);
  const load = { ...(run.isQuick ? SECONDS.quick : SECONDS.full), outstanding, pids };
  const measured: [string, ClientLoadFigures][] = [];
  for (const [name, operate] of operations) measured.push([name, await measureLoad(clients, load, operate)]);
  await Promise.all(clients.map((client) => client.close()));
  return measured;
}

async function makeZnodes(client: Client, bytes: number, data: Uint8Array): Promise<void> {
  if ((await client.exists(`/t${bytes}`)) !== null) return;
  await client.create(`/t${bytes}`);
  await Promise.all(
    Array.from({ length: ZNODES }, (_, index) => client.create(`/t${bytes}/n${index}`, data)),
  );
  // Whatever member another session is at, it has them from here on.
  await client.sync('/');
}
