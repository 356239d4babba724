import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { DIE_WITH_PARENT } from '../process/ensemble-process.js';
import { Gates, type Servers } from './servers/index.js';

/** A program that has not ended by then hangs. */
const PROGRAM_TIMEOUT_MS = 150_000;
/** So much of what it said on standard error is shown. */
const SHOWN_ERROR_LINES = 40;

/** What one scenario printed. */
export interface Transcript {
  readonly lines: string[];
  /** What went wrong; empty if nothing did. */
  readonly faults: string[];
}

export interface ProgramRun {
  readonly command: readonly string[];
  readonly scenarios: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Runs a client's program on these servers, does to them what it asks for, and returns what each scenario printed. */
export async function runProgram(
  { command, scenarios, environment }: ProgramRun,
  servers: Servers,
): Promise<Map<string, Transcript>> {
  const gates = await Gates.open(servers.addresses);
  const [program, ...args] = [...DIE_WITH_PARENT, ...command, gates.connect, ...scenarios];
  const child = spawn(program!, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const transcripts = new Map<string, Transcript>(scenarios.map((name) => [name, { lines: [], faults: [] }]));
  const diagnostics: string[] = [];
  let current: Transcript | undefined;
  const fault = (what: string): void => {
    const last = current ?? transcripts.get(scenarios[0]!)!;
    last.faults.push(what, ...diagnostics.slice(-SHOWN_ERROR_LINES));
  };
  const watchdog = setTimeout(() => {
    fault(`no end after ${PROGRAM_TIMEOUT_MS / 1000} s: killed`);
    child.kill('SIGKILL');
  }, PROGRAM_TIMEOUT_MS);
  child.stdin.on('error', () => undefined);
  child.on('error', (error) => fault(String(error)));
  createInterface({ input: child.stderr }).on('line', (line) => diagnostics.push(line));
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => {
    if (line.startsWith('## ')) {
      current = transcripts.get(line.slice(3));
      if (current === undefined) fault(`a scenario that nobody asked for: ${line}`);
    } else if (line.startsWith('@')) {
      obey(line.slice(1).split(' '), servers, gates).then(
        () => child.stdin.write('ok\n'),
        (error: unknown) => {
          fault(String(error));
          child.kill('SIGKILL');
        },
      );
    } else if (line.startsWith('!!')) current?.faults.push(line);
    else if (current === undefined) fault(`a line outside of any scenario: ${line}`);
    else current.lines.push(line);
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('close', (code, signal) => resolve([code, signal]));
    child.once('error', () => resolve([null, null]));
  });
  clearTimeout(watchdog);
  const noFault = [...transcripts.values()].every(({ faults }) => faults.length === 0);
  if (code !== 0 && noFault) fault(`ended with ${code ?? signal}`);
  for (const { lines, faults } of transcripts.values()) {
    if (lines.length === 0 && faults.length === 0) faults.push('printed nothing');
  }
  await gates[Symbol.asyncDispose]();
  return transcripts;
}

async function obey([verb, whom = '']: readonly string[], servers: Servers, gates: Gates): Promise<void> {
  switch (verb) {
    case 'cut':
      return gates.cut();
    case 'block':
      return gates.block();
    case 'unblock':
      return gates.unblock();
    case 'kill':
      await servers.kill(await idOf(whom, servers));
      break;
    case 'restart': {
      const id = await idOf(whom, servers);
      await servers.kill(id);
      servers.launch(id);
      break;
    }
    case 'start': {
      const missing = servers.ids.filter((id) => !servers.running.includes(id));
      for (const id of whom === 'all' ? missing : [Number(whom)]) servers.launch(id);
      break;
    }
    default:
      throw new Error(`nobody knows how to do @${verb} ${whom}`);
  }
  // Those that are left may be too few for a quorum: then nobody serves until another one is started.
  if (servers.running.length * 2 > servers.ids.length) await servers.serving();
}

async function idOf(whom: string, servers: Servers): Promise<number> {
  const leader = whom === 'leader' || whom === 'follower' ? await servers.leader() : Number(whom);
  const id = whom === 'follower' ? servers.running.find((id) => id !== leader) : leader;
  if (id === undefined || !servers.ids.includes(id)) throw new Error(`there is no server ${whom}`);
  return id;
}
