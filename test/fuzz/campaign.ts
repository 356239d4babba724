import { readdirSync } from 'node:fs';
import { inspect } from 'node:util';
import { Arena } from './arena.js';
import type { Attacker, Tally } from './attacker.js';
import { clientPackets } from './attackers/client-packets.js';
import { httpHeads } from './attackers/http-heads.js';
import { peerMessages } from './attackers/peer-messages.js';
import { webSocketFrames } from './attackers/websocket-frames.js';
import { zookeeperPort } from './attackers/zookeeper-port.js';
import { Draw } from './draw.js';
import { GoodClient } from './good-client.js';

const ATTACKERS: readonly Attacker[] = [
  clientPackets,
  clientPackets,
  zookeeperPort,
  httpHeads,
  webSocketFrames,
  peerMessages,
];
/** At once, in a round. */
const ATTACKERS_PER_ROUND = 100;
/** Between two looks at what needs the end of all hostile sessions. */
const ROUNDS_PER_LAP = 15;
const NOISE = 0.05;
/** Longest that a member may take to let go of what it held for attackers. */
const RELEASE_MS = 60_000;
const POLL_MS = 5;

export interface CampaignOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Play this round only. */
  readonly round?: number | undefined;
}

export interface CampaignResult {
  readonly rounds: number;
  /** Inputs tried, by kind. */
  readonly tally: Tally;
  /** Operations of the good client, each with the right answer. */
  readonly operations: number;
}

/**
 * Attacks members with inputs from grammars, round by round, while a good client works. Rejects with the first thing that does not hold:
 * nothing throws, no member logs an error, the good client gets right answers, what members hold for clients returns to its number
 * after each round, and after each lap the state is what the good client made of it, at every member.
 */
export async function fuzz({ seed, seconds, round: only }: CampaignOptions): Promise<CampaignResult> {
  const tally: Tally = new Map();
  const note = (input: string, count = 1): void => void tally.set(input, (tally.get(input) ?? 0) + count);
  const noise = { probability: 0, draw: new Draw(seed), tried: () => note('changed peer messages') };
  await using arena = await Arena.open(noise);
  const thrown = watchForExceptions();
  await using good = await GoodClient.open(arena, new Draw(seed + 0.5));
  const deadline = performance.now() + seconds * 1_000;
  let round = only ?? 0;
  try {
    const quiet = await settled(arena);
    for (let isOver = false; !isOver; round += 1) {
      noise.probability = NOISE;
      good.work();
      await play(arena, seed, round, note);
      await good.stop();
      noise.probability = 0;
      expectNoFault(arena, thrown.errors);
      await returned(arena, quiet);
      isOver = only !== undefined || performance.now() > deadline;
      if (isOver || round % ROUNDS_PER_LAP === ROUNDS_PER_LAP - 1) await endLap(arena, good);
      expectNoFault(arena, thrown.errors);
    }
    return { rounds: round - (only ?? 0), tally, operations: good.operations };
  } catch (error) {
    const what = error instanceof Error ? error.stack : String(error);
    throw new Error(`seed ${seed}, round ${round}: ${what}\nlog of the members:\n${arena.log.join('\n')}`, {
      cause: error,
    });
  } finally {
    thrown.stop();
  }
}

async function play(
  arena: Arena,
  seed: number,
  round: number,
  note: (input: string, count?: number) => void,
): Promise<void> {
  const attacks = Array.from({ length: ATTACKERS_PER_ROUND }, (_, index) => {
    const draw = new Draw(seed * 1_000_000 + round * ATTACKERS_PER_ROUND + index);
    return draw.pick(ATTACKERS)(arena, draw, note);
  });
  await Promise.all(attacks);
}

function watchForExceptions(): { readonly errors: unknown[]; stop(): void } {
  const errors: unknown[] = [];
  const note = (error: unknown): void => void errors.push(error);
  process.on('uncaughtException', note).on('unhandledRejection', note);
  return {
    errors,
    stop: () => process.off('uncaughtException', note).off('unhandledRejection', note),
  };
}

function expectNoFault(arena: Arena, errors: readonly unknown[]): void {
  const [error] = errors;
  if (error !== undefined) throw new Error(`uncaught: ${inspect(error)}`);
  if (arena.faults.length > 0) throw new Error(arena.faults.join('\n'));
}

type Numbers = Readonly<Record<string, number>>;

function numbersOf(arena: Arena): Numbers {
  return { ...arena.holdings, descriptors: readdirSync('/proc/self/fd').length };
}

/** What the members hold while only the good client is there, and does nothing. */
async function settled(arena: Arena): Promise<Numbers> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  return numbersOf(arena);
}

async function returned(arena: Arena, quiet: Numbers): Promise<void> {
  const exceeding = (): string[] => {
    const now = numbersOf(arena);
    return Object.keys(quiet)
      .filter((name) => now[name]! > quiet[name]!)
      .map((name) => `${name}: ${now[name]}, ${quiet[name]} before`);
  };
  await until(
    () => exceeding().length === 0,
    () => `not released: ${exceeding().join('; ')}`,
  );
}

/** Waits for the end of all hostile sessions, and compares the state with the model. */
async function endLap(arena: Arena, good: GoodClient): Promise<void> {
  await until(
    () => arena.machine.sessions.size === 1,
    () => `${arena.machine.sessions.size - 1} hostile sessions are left`,
  );
  await good.clear();
  if (arena.machine.digest !== good.expectedDigest) {
    const paths = Array.from(arena.machine.state.tree.values(), ({ path }) => path);
    throw new Error(
      `the state is not what the good client made of it; znodes: ${paths.join(' ').slice(0, 2_000)}`,
    );
  }
  await until(
    () => new Set(arena.digests).size === 1,
    () => `members differ: ${arena.digests.join(', ')}`,
  );
  await good.reopen();
}

async function until(holds: () => boolean, otherwise: () => string): Promise<void> {
  const deadline = performance.now() + RELEASE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
