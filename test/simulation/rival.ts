import {
  CreateMode,
  JuteWriter,
  OPEN_ACL,
  OpCode,
  readConnectResponse,
  splitPackets,
  writeConnectRequest,
  writeRequest,
} from '../../core/protocol/index.js';
import type { SeededRandom } from '../../core/runtime/index.js';
import { SimulatedProcess, type ClusterMember } from '../../core/testing/index.js';
import type { Connection } from '../../core/transport/index.js';
import type { Credentials } from './actor.js';
import { check, hex } from './checkers/referee.js';
import { XIDS_PER_USER } from './checkers/session-ledger.js';
import { between, pick } from './plan.js';
import type { World } from './world.js';

const WRITES_AT_ONCE = 6;
const MAX_PACKET_BYTES = 1024 * 1024;

/**
 * Somebody else who comes with a client's session: a copy of the same process, such as a virtual machine that was
 * restored twice. It takes the session over, writes in its name, and falls silent after a while; the client takes it back.
 */
export class Rival {
  readonly name: string;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #process: SimulatedProcess;
  readonly #firstXid: number;
  #giveUp = (): void => undefined;

  constructor(world: World, number: number, random: SeededRandom) {
    this.#world = world;
    this.name = `r${number}`;
    this.#random = random;
    this.#firstXid = number * XIDS_PER_USER;
    this.#process = new SimulatedProcess(world.cluster.clock);
  }

  /** Comes to a member with what proves the session to be its own. */
  takeOver(member: ClusterMember, credentials: Credentials): void {
    this.#world.note(this.name, `takes over the session ${hex(credentials.sessionId)} at ${member.name}`);
    this.#dial(member, (connection) => {
      const tapped = this.#world.tap(this.name, connection);
      let isFirst = true;
      tapped.handle({
        message: (bytes) => {
          if (!isFirst) return;
          isFirst = false;
          if (readConnectResponse(splitPackets(bytes, MAX_PACKET_BYTES)[0]!).sessionId !== 0n)
            this.#write(tapped);
        },
        closed: () => this.leave(),
      });
      this.#greet(tapped, credentials);
    });
  }

  /** Comes with a password that is not the session's: must be sent away, and disturb nobody. */
  guess(member: ClusterMember, { sessionId, password }: Credentials): void {
    const { referee } = this.#world;
    const wrong = Uint8Array.from(password);
    const index = Math.floor(this.#random.next() * wrong.length);
    wrong[index] = wrong[index]! ^ (1 << Math.floor(this.#random.next() * 8));
    this.#world.note(this.name, `tries a wrong password for ${hex(sessionId)} at ${member.name}`);
    this.#dial(member, (connection) => {
      connection.handle({
        message: (bytes) =>
          referee.watch(() => {
            const [packet] = splitPackets(bytes, MAX_PACKET_BYTES);
            const { sessionId: given } = readConnectResponse(packet!);
            check(given === 0n, () => `${this.name} is given ${hex(given)} for a wrong password`);
          }),
        closed: () => this.leave(),
      });
      this.#greet(connection, { sessionId, password: wrong });
    });
  }

  leave(): void {
    this.#giveUp();
    this.#process.kill();
  }

  #dial(member: ClusterMember, connected: (connection: Connection) => void): void {
    const { cluster, plan } = this.#world;
    const patience = new AbortController();
    this.#giveUp = () => patience.abort();
    this.#process.setTimer(plan.sessionMs, () => patience.abort());
    const dialer = this.#process.dialer(cluster.network.host(this.name));
    void dialer.dial(member.address, { signal: patience.signal }).then(connected, () => this.leave());
  }

  #greet(connection: Connection, { sessionId, password }: Credentials): void {
    const writer = new JuteWriter();
    const { sessionMs: timeoutMs } = this.#world.plan;
    const request = { protocolVersion: 0, lastZxidSeen: 0n, timeoutMs, sessionId, password, readOnly: false };
    writeConnectRequest(writer, request);
    connection.send(writer.take());
  }

  /** Many at once: some of them are under way when the client takes its session back. */
  #write(connection: Connection): void {
    const random = this.#random;
    let xid = this.#firstXid;
    const burst = (): void => {
      const writer = new JuteWriter();
      for (let left = 1 + Math.floor(random.next() * WRITES_AT_ONCE); left > 0; left--) {
        xid += 1;
        const path = `/e/${this.name}-${pick(random, ['a', 'b', 'c'])}`;
        const data = new TextEncoder().encode(`${this.name} ${xid}`);
        if (random.next() < 0.6) {
          const flags = CreateMode.ephemeral;
          writeRequest(writer, xid, OpCode.create2, { path, data, acl: OPEN_ACL, flags, ttlMs: 0 });
        } else {
          writeRequest(writer, xid, OpCode.delete, { path, version: -1 });
        }
      }
      connection.send(writer.take());
      this.#process.setTimer(between(random, 0, 2) * this.#world.plan.tickMs, burst);
    };
    burst();
    this.#process.setTimer(between(random, 0, 1) * this.#world.plan.sessionMs, () => this.leave());
  }
}
