import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DIE_WITH_PARENT, freePort } from '../../process/ensemble-process.js';
import {
  DEFAULT_CONTAINER_CHECK_MS,
  DEFAULT_TICK_MS,
  MAX_SESSION_MS,
  MIN_SESSION_MS,
  Servers,
  SUPER_DIGEST,
  type ServerCount,
  type ServersOptions,
} from './servers.js';

/** Debian's, which names the jars that it needs in its manifest. */
export const ZOOKEEPER_JAR = '/usr/share/java/zookeeper.jar';
/** Prints warnings and errors to standard error. */
export const LOG_JAR = '/usr/share/java/slf4j-simple.jar';
/** Start in a second, and leave the other core alone. */
export const JVM_FLAGS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

const JAAS_FILE = 'jaas.conf';

interface Ports {
  readonly client: number;
  readonly quorum: number;
  readonly election: number;
}

interface Running {
  readonly process: ChildProcess;
  readonly gone: Promise<void>;
}

/** Apache ZooKeeper, as Debian packages it: one server that stands alone, or an ensemble of three. */
export class ApacheServers extends Servers {
  readonly ids: readonly number[];
  readonly #directory: string;
  readonly #ports: ReadonlyMap<number, Ports>;
  readonly #properties: readonly string[];
  readonly #running = new Map<number, Running>();
  readonly #logs = new Map<number, string>();

  private constructor(directory: string, ports: ReadonlyMap<number, Ports>, properties: readonly string[]) {
    super();
    this.#directory = directory;
    this.#ports = ports;
    this.#properties = properties;
    this.ids = [...ports.keys()];
  }

  static isInstalled(): boolean {
    return existsSync(ZOOKEEPER_JAR);
  }

  /** Resolves when all of them serve. */
  static async start(count: ServerCount, options: ServersOptions = {}): Promise<ApacheServers> {
    const directory = await mkdtemp(join(tmpdir(), 'apache-zookeeper-'));
    const ports = await choosePorts(count);
    const servers = new ApacheServers(directory, ports, propertiesFor(options, directory));
    try {
      if (options.saslUsers !== undefined)
        await writeFile(join(directory, JAAS_FILE), jaasFor(options.saslUsers));
      for (const id of servers.ids) {
        const home = join(directory, `${id}`);
        await mkdir(home);
        await writeFile(join(home, 'myid'), `${id}\n`);
        await writeFile(join(home, 'zoo.cfg'), configurationFor(home, ports, id, options));
      }
      for (const id of servers.ids) servers.launch(id);
      await servers.serving();
      return servers;
    } catch (error) {
      await servers[Symbol.asyncDispose]();
      throw error;
    }
  }

  portOf(id: number): number {
    return this.#ports.get(id)!.client;
  }

  get running(): readonly number[] {
    return this.ids.filter((id) => this.#running.has(id));
  }

  logOf(id: number): string {
    return this.#logs.get(id) ?? '';
  }

  launch(id: number): void {
    if (this.#running.has(id)) throw new Error(`server ${id} runs already`);
    const java = ['java', ...JVM_FLAGS, ...this.#properties, '-cp', `${ZOOKEEPER_JAR}:${LOG_JAR}`];
    const main = [
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      join(this.#directory, `${id}`, 'zoo.cfg'),
    ];
    const [command, ...args] = [...DIE_WITH_PARENT, ...java, ...main];
    const child = spawn(command!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (chunk: Buffer) => this.#logs.set(id, this.logOf(id) + chunk.toString()));
    const gone = new Promise<void>((resolve, reject) => {
      child.once('exit', () => resolve());
      child.once('error', reject);
    }).finally(() => this.#running.delete(id));
    gone.catch((error: unknown) => this.#logs.set(id, `${this.logOf(id)}${String(error)}\n`));
    this.#running.set(id, { process: child, gone });
  }

  async kill(id: number): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined) throw new Error(`server ${id} does not run`);
    running.process.kill('SIGKILL');
    await running.gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.running.map((id) => this.kill(id)));
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function choosePorts(count: ServerCount): Promise<Map<number, Ports>> {
  const taken: number[] = [];
  const next = async (): Promise<number> => {
    const port = await freePort(taken);
    taken.push(port);
    return port;
  };
  const ports = new Map<number, Ports>();
  for (let id = 1; id <= count; id++) {
    ports.set(id, { client: await next(), quorum: await next(), election: await next() });
  }
  return ports;
}

function configurationFor(
  home: string,
  ports: ReadonlyMap<number, Ports>,
  id: number,
  options: ServersOptions,
): string {
  const lines = [
    `dataDir=${home}`,
    'clientPortAddress=127.0.0.1',
    `clientPort=${ports.get(id)!.client}`,
    `tickTime=${options.tickMs ?? DEFAULT_TICK_MS}`,
    'initLimit=20',
    'syncLimit=10',
    'maxClientCnxns=0',
    `minSessionTimeout=${MIN_SESSION_MS}`,
    `maxSessionTimeout=${MAX_SESSION_MS}`,
    'admin.enableServer=false',
    '4lw.commands.whitelist=*',
    'extendedTypesEnabled=true',
  ];
  if (options.localSessions === true) {
    lines.push('localSessionsEnabled=true', 'localSessionsUpgradingEnabled=true');
  }
  if (options.saslUsers !== undefined)
    lines.push('authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider');
  if (ports.size > 1) {
    for (const [member, { quorum, election }] of ports)
      lines.push(`server.${member}=127.0.0.1:${quorum}:${election}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A section of users for the login module of the server. */
function jaasFor(users: Readonly<Record<string, string>>): string {
  const entries = Object.entries(users).map(([user, password]) => `  user_${user}="${password}"`);
  const module = '  org.apache.zookeeper.server.auth.DigestLoginModule required';
  return `Server {\n${[module, ...entries].join('\n')};\n};\n`;
}

function propertiesFor(options: ServersOptions, directory: string): string[] {
  const jaas = `-Djava.security.auth.login.config=${join(directory, JAAS_FILE)}`;
  return [
    ...(options.saslUsers === undefined ? [] : [jaas]),
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    `-Dzookeeper.DigestAuthenticationProvider.superDigest=${SUPER_DIGEST}`,
    `-Dznode.container.checkIntervalMs=${options.containerCheckMs ?? DEFAULT_CONTAINER_CHECK_MS}`,
    `-Dzookeeper.enforceQuota=true`,
    '-Dreadonlymode.enabled=true',
    // What is judged is behaviour; that the log survives the machine is not.
    '-Dzookeeper.forceSync=no',
    '-Dzookeeper.preAllocSize=64',
  ];
}
