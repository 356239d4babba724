/** The member processes: three of them, so that any one can be missed. */
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MEMBER_PROGRAM = fileURLToPath(new URL('./member.js', import.meta.url));
const MEMBERS = [1, 2, 3];
const POLL_MS = 10;

/** The part of what `/readyz` answers that matters here. */
interface Health {
  readonly state: string;
  readonly isServing: boolean;
  readonly digest: string;
  readonly zxid: string;
}

export class Ensemble {
  readonly #processes = new Map<number, ChildProcess>();
  readonly #data: string;
  readonly #ports: readonly number[];
  readonly #secret = randomBytes(32).toString('hex');

  private constructor(data: string, ports: readonly number[]) {
    this.#data = data;
    this.#ports = ports;
  }

  /** Starts three members; resolves when all of them serve. */
  static async start(data: string): Promise<Ensemble> {
    const ensemble = new Ensemble(data, await freePorts(MEMBERS.length));
    for (const id of MEMBERS) ensemble.restart(id);
    await ensemble.until('three members to serve', (healths) =>
      healths.every((health) => health?.isServing === true),
    );
    return ensemble;
  }

  /** For clients: every member, so that they find the next one by themselves. */
  get address(): string {
    return `ws://${this.#ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  }

  /** The member that leads. */
  async leader(): Promise<number> {
    const healths = await this.until('a leader', (all) => all.some((health) => health?.state === 'leading'));
    return MEMBERS[healths.findIndex((health) => health?.state === 'leading')]!;
  }

  restart(id: number): void {
    const members = MEMBERS.map((member) => `${member}=127.0.0.1:${this.#ports[member - 1]}`).join(',');
    const parameters = [String(id), members, join(this.#data, String(id)), this.#secret];
    this.#processes.set(id, fork(MEMBER_PROGRAM, parameters));
  }

  /** Ends a member as a crash would. */
  async kill(id: number): Promise<void> {
    const child = this.#processes.get(id)!;
    child.kill('SIGKILL');
    if (child.signalCode === null) await once(child, 'exit');
  }

  /** Waits for a condition on what the members say of themselves; null stands for one that does not answer. */
  async until(
    what: string,
    holds: (healths: readonly (Health | null)[]) => boolean,
    timeoutMs = 30_000,
  ): Promise<readonly (Health | null)[]> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const healths = await Promise.all(this.#ports.map(healthAt));
      if (holds(healths)) return healths;
      if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
      await pause(POLL_MS);
    }
  }

  async stop(): Promise<void> {
    const running = [...this.#processes.values()].filter(
      (child) => child.exitCode === null && child.connected,
    );
    await Promise.all(
      running.map((child) => {
        child.send('stop');
        return once(child, 'exit');
      }),
    );
  }

  /** For the way out when something went wrong. */
  killAll(): void {
    for (const child of this.#processes.values()) child.kill('SIGKILL');
  }
}

async function healthAt(port: number): Promise<Health | null> {
  try {
    return (await (await fetch(`http://127.0.0.1:${port}/readyz`)).json()) as Health;
  } catch {
    return null;
  }
}

/** Ports that are free now; all are held until the last is known, so that none is given twice. */
async function freePorts(count: number): Promise<number[]> {
  const holders = await Promise.all(
    Array.from({ length: count }, async () => {
      const holder = createServer().listen(0, '127.0.0.1');
      await once(holder, 'listening');
      return holder;
    }),
  );
  const ports = holders.map((holder) => (holder.address() as AddressInfo).port);
  await Promise.all(holders.map((holder) => new Promise((resolve) => holder.close(resolve))));
  return ports;
}
