/** What TLS costs: the same load on the same members in clear and encrypted, in time of the processor for one operation. */
import { connect } from '../../core/client/index.js';
import { Certificates } from '../certificates/certificates.js';
import { EnsembleProcess } from '../process/ensemble-process.js';
import type { Bench, BenchRun } from './bench-run.js';
import type { ClientLoadFigures } from './client-load.js';
import { table } from './figures.js';
import { cpuMicrosOf } from './machine.js';
import type { Section } from './results.js';
import { measureShape } from './transport.js';

const MEMBERS = [1];
const SIZES = [128, 1024];
const SHAPE = { sessions: 30, outstanding: 16 };
const CONNECTS = { full: 500, quick: 50 };

export const tls: Bench = { name: 'tls', needsTools: false, run: measure };

/** Time of the processor for one operation, in microseconds. */
interface Cost {
  readonly name: string;
  readonly members: number;
  readonly client: number;
}

async function measure(run: BenchRun): Promise<Section> {
  using certificates = new Certificates();
  const parts: string[] = [];
  for (const voters of MEMBERS) {
    const clear = await costsOf(voters, run, null);
    const encrypted = await costsOf(voters, run, certificates);
    const rows = clear.map((cost, index) => [cost.name, ...compared(cost, encrypted[index]!)]);
    const head = ['operation', 'members, clear', 'TLS', 'ratio', 'client, clear', 'TLS', 'ratio'];
    parts.push(`### ${voters === 1 ? 'One member' : 'Three members'}\n\n${table([head, ...rows])}`);
  }
  return {
    title: 'What TLS costs',
    about:
      `Time of the processor for one operation, in microseconds, of the member and of the process of the clients: ${SHAPE.sessions} sessions × ` +
      `${SHAPE.outstanding} outstanding requests of \`quorate/client\`, every write synced to disk. Under TLS 1.3 clients connect with \`wss://\`; the certificates ` +
      'have keys of P-256. A session is opened and closed, one after the other, with a handshake each. ' +
      'Rates are left out: other programs used the machine at the same time.',
    commands: [`npm run bench -- --only tls${run.isQuick ? ' --quick' : ''}`],
    body: parts.join('\n\n'),
  };
}

function compared(clear: Cost, encrypted: Cost): number[] {
  const ratios = [encrypted.members / clear.members, encrypted.client / clear.client];
  return [clear.members, encrypted.members, ratios[0]!, clear.client, encrypted.client, ratios[1]!];
}

async function costsOf(
  voters: number,
  run: BenchRun,
  certificates: Certificates | null,
): Promise<readonly Cost[]> {
  const level = ['--log-level', 'warn'];
  const options =
    certificates === null
      ? { flags: level }
      : { scheme: 'wss' as const, flags: [...level, ...flagsOf(certificates)] };
  const trusting = certificates === null ? undefined : { ca: certificates.ca.cert };
  await using ensemble = await EnsembleProcess.start({ voters, ...options });
  const costs: Cost[] = [];
  for (const bytes of SIZES) {
    run.note(`${voters} members, ${bytes} bytes, ${certificates === null ? 'clear' : 'TLS'}`);
    const measured = await measureShape(ensemble, {
      ...SHAPE,
      bytes,
      run,
      ...(trusting && { tls: trusting }),
    });
    costs.push(...measured.map(([name, figures]) => costOf(`${name} ${bytes} B`, figures)));
  }
  costs.push(await costOfSession(ensemble, run, trusting));
  return costs;
}

/** Plain connections are accepted beside TLS, so that the bench can ask how the members are. */
function flagsOf({ ca, server }: Certificates): string[] {
  const own = ['--tls-cert', server.certFile, '--tls-key', server.keyFile, '--tls-ca', ca.certFile];
  return [...own, '--tls-allow-plain'];
}

function costOf(name: string, { membersCpu, clientCpu }: ClientLoadFigures): Cost {
  return { name, members: membersCpu, client: clientCpu };
}

async function costOfSession(
  ensemble: EnsembleProcess,
  run: BenchRun,
  trusting: { readonly ca: string } | undefined,
): Promise<Cost> {
  const count = run.isQuick ? CONNECTS.quick : CONNECTS.full;
  const pids = ensemble.ids.map((id) => ensemble.member(id).pid);
  const scheme = trusting === undefined ? 'ws' : 'wss';
  const url = ensemble.url().replace('ws:', `${scheme}:`);
  const own = (): number => process.cpuUsage().user + process.cpuUsage().system;
  const [members, client] = [cpuMicrosOf(pids), own()];
  for (let session = 0; session < count; session++) await (await connect(url, { tls: trusting })).close();
  return {
    name: 'session opened and closed',
    members: (cpuMicrosOf(pids) - members) / count,
    client: (own() - client) / count,
  };
}
