/**
 * The load generator and the scripts around it: C and shell that measure any server which speaks ZooKeeper's protocol, and are
 * no part of this project. A folder with them is named by `--tools` or `BENCH_TOOLS`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `cluster-quorate` stands beside the sources, not among what is compiled. */
const OURS = fileURLToPath(new URL('../../../test/bench/cluster-quorate', import.meta.url));
const PROGRAMS = ['zkload', 'zkprobe'];
const JARS = '/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar';

/** What zkload says of one run. */
export interface LoadFigures {
  readonly ops: number;
  readonly ops_per_s: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly max_us: number;
  readonly wall_s: number;
  /** Of each server, seconds of the processor. */
  readonly server_cpu_s: readonly number[];
  readonly other_cpu_s: number;
}

export class Tools implements Disposable {
  readonly #directory: string;
  readonly #scratch: string | null;

  private constructor(directory: string, scratch: string | null) {
    this.#directory = directory;
    this.#scratch = scratch;
  }

  /** Null, with a line that says why, if there are none. Built in a copy if they are not built: the folder may be read-only. */
  static async open(directory: string | undefined, note: (line: string) => void): Promise<Tools | null> {
    if (directory === undefined || !existsSync(join(directory, 'cluster-common'))) {
      note(
        directory === undefined
          ? 'no load generator: name the folder that holds it with --tools DIR or BENCH_TOOLS'
          : 'no load generator: the folder that --tools or BENCH_TOOLS names holds no cluster-common',
      );
      return null;
    }
    if (PROGRAMS.every((program) => existsSync(join(directory, 'bin', program))))
      return new Tools(directory, null);
    const scratch = mkdtempSync(join(tmpdir(), 'bench-tools-'));
    cpSync(directory, scratch, { recursive: true });
    try {
      await execute('make', ['-C', scratch]);
      return new Tools(scratch, scratch);
    } catch (error) {
      rmSync(scratch, { recursive: true, force: true });
      note(
        `no load generator: it cannot be built, it needs gcc, make and libzookeeper-mt-dev: ${String(error)}`,
      );
      return null;
    }
  }

  /** How Apache ZooKeeper is started, or null if it is not installed. */
  get zooKeeper(): string | null {
    const jars = (process.env['ZK_CLASSPATH'] ?? JARS).split(':');
    return jars.every((jar) => existsSync(jar)) ? this.script('cluster-zookeeper') : null;
  }

  get quorate(): string {
    return OURS;
  }

  /** For the scripts. */
  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, BENCH_TOOLS: this.#directory };
  }

  script(name: string): string {
    return join(this.#directory, name);
  }

  /** Runs one of the scripts; returns what it printed. */
  run(
    script: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    return execute(script, args, { ...this.environment, ...environment });
  }

  async load(hosts: string, args: readonly string[]): Promise<LoadFigures> {
    const all = ['--hosts', hosts, '--client', 'raw', '--json', ...args];
    return JSON.parse(await this.run(join(this.#directory, 'bin', 'zkload'), all)) as LoadFigures;
  }

  [Symbol.dispose](): void {
    if (this.#scratch !== null) rmSync(this.#scratch, { recursive: true, force: true });
  }
}

async function execute(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command.split('/').at(-1)} ${args.join(' ')} ended with ${code}`);
  return output;
}

/** Microseconds of the processor that all servers together took for one operation. */
export function cpuPerOperation({ server_cpu_s, ops }: LoadFigures): number {
  return (1e6 * server_cpu_s.reduce((sum, seconds) => sum + seconds, 0)) / ops;
}
