import type { Connection } from '../../core/transport/index.js';
import { WebSocketDialer } from '../../core/transport/index.js';
import { ZooKeeperDialer } from '../../plugins/zookeeper/transport/zookeeper-dialer.js';
import { CuttableProxy } from '../process/cuttable-proxy.js';
import { EnsembleProcess, freePort } from '../process/ensemble-process.js';
import type { Exit } from '../process/member-process.js';
import type { Dice } from './dice.js';
import type { FinalState, MemberLog } from './history.js';
import { LogArchive } from './log-archive.js';
import type { Recorder } from './recorder.js';

/** Where the proxy takes a link of a client to come from. */
export const CLIENTS = 0;
const DIAL_MS = 2000;
const FLAGS = '--tick-ms 200 --container-check-ms 500 --snapshot-txns 2000 --enforce-quota'.split(' ');

interface Door {
  readonly member: number;
  readonly url: string;
}

/** Members as processes, behind a network that can be cut, between them and in front of clients. */
export class Stage implements AsyncDisposable {
  readonly ensemble: EnsembleProcess;
  readonly network: CuttableProxy;
  /** Ends of processes that nobody has asked for. */
  readonly exits: string[] = [];
  readonly #zooKeeperPorts: ReadonlyMap<number, number>;
  readonly #doors: readonly Door[];
  readonly #archives: readonly LogArchive[];
  /** Members whose process is to end now. */
  readonly #ending = new Set<number>();

  private constructor(parts: {
    readonly ensemble: EnsembleProcess;
    readonly network: CuttableProxy;
    readonly zooKeeperPorts: ReadonlyMap<number, number>;
    readonly doors: readonly Door[];
    readonly archives: readonly LogArchive[];
  }) {
    this.ensemble = parts.ensemble;
    this.network = parts.network;
    this.#zooKeeperPorts = parts.zooKeeperPorts;
    this.#doors = parts.doors;
    this.#archives = parts.archives;
  }

  /** All members serve. */
  static async start(members: number): Promise<Stage> {
    const network = new CuttableProxy();
    const ensemble = await EnsembleProcess.prepare({
      voters: members,
      flags: FLAGS,
      portFor: network.portFor,
    });
    const zooKeeperPorts = new Map<number, number>();
    const doors: Door[] = [];
    const archives: LogArchive[] = [];
    for (const member of ensemble.ids) {
      const taken = [...ensemble.ids.map((id) => ensemble.portOf(id)), ...zooKeeperPorts.values()];
      const port = await freePort(taken);
      zooKeeperPorts.set(member, port);
      const [near, far] = [
        await network.portFor(CLIENTS, member, ensemble.portOf(member)),
        await network.portFor(CLIENTS, member, port),
      ];
      doors.push({ member, url: `ws://127.0.0.1:${near}` }, { member, url: `zk://127.0.0.1:${far}` });
      archives.push(await LogArchive.start(member, ensemble.dataOf(member)));
    }
    const stage = new Stage({ ensemble, network, zooKeeperPorts, doors, archives });
    try {
      for (const member of ensemble.ids) stage.launch(member);
      await ensemble.serving();
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  launch(member: number): void {
    const port = this.#zooKeeperPorts.get(member)!;
    const { exited } = this.ensemble.launch(member, { flags: ['--zookeeper-port', `${port}`] });
    void exited.then((exit) => this.#ended(member, exit));
  }

  /** kill -9; resolves when the process is gone. */
  async kill(member: number): Promise<void> {
    this.#ending.add(member);
    await this.ensemble.kill(member);
    this.#ending.delete(member);
  }

  /** SIGTERM; resolves when the process is gone. */
  async stop(member: number): Promise<void> {
    this.#ending.add(member);
    const exit = await this.ensemble.stop(member);
    this.#ending.delete(member);
    // A process that is still starting has no handler of the signal yet.
    if (exit.code !== 0 && exit.signal !== 'SIGTERM') this.exits.push(this.#describe(member, exit));
  }

  /** Opens a recorded connection through the network to any member, or to the one that is named. */
  async dial(recorder: Recorder, client: string, dice: Dice, member?: number): Promise<Connection> {
    const doors = this.#doors.filter((door) => member === undefined || door.member === member);
    const { url } = dice.of(doors);
    const dialer = url.startsWith('ws:') ? new WebSocketDialer() : new ZooKeeperDialer();
    return recorder.tap(await dialer.dial(url, { signal: AbortSignal.timeout(DIAL_MS) }), client);
  }

  /** What every member says of itself, once all have applied the same. Rejects if that never comes; nothing may be writing. */
  async finals(): Promise<readonly FinalState[]> {
    let finals: readonly FinalState[] = [];
    await this.ensemble.until('all members to have applied the same', async () => {
      const healths = await Promise.all(this.ensemble.ids.map((id) => this.ensemble.health(id)));
      finals = healths.flatMap((health) =>
        health?.isServing === true ? [{ member: health.id, zxid: health.zxid, digest: health.digest }] : [],
      );
      return finals.length === healths.length && finals.every(({ zxid }) => zxid === finals[0]!.zxid);
    });
    return finals;
  }

  /** Ends all members in order, and reads what they ever had in their logs. */
  async logs(): Promise<readonly MemberLog[]> {
    await Promise.all(this.ensemble.running.map((id) => this.stop(id)));
    const logs: MemberLog[] = [];
    for (const archive of this.#archives) logs.push(await archive.read());
    return logs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.ensemble.ids) this.#ending.add(member);
    for (const archive of this.#archives) await archive[Symbol.asyncDispose]();
    await this.ensemble[Symbol.asyncDispose]();
    await this.network[Symbol.asyncDispose]();
  }

  #ended(member: number, exit: Exit): void {
    if (!this.#ending.has(member)) this.exits.push(this.#describe(member, exit));
  }

  #describe(member: number, { code, signal }: Exit): string {
    const lines = this.ensemble.logOf(member).trim().split('\n').slice(-5);
    return `the process of member ${member} ended with ${signal ?? code}: ${lines.join(' / ')}`;
  }
}
