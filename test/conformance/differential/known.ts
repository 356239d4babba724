import type { Servers } from '../servers/index.js';
import { KNOWN_ANSWERS } from './known-answers.js';
import { KNOWN_STEPS, knownSequence } from './known-steps.js';
import { Player } from './player.js';

/** The root and the session that every sequence begins with. */
const STEPS_BEFORE = 2;

/** The headings in DIFFERENCES.md of differences kept on purpose. */
export const KNOWN_HEADINGS = Object.keys(KNOWN_STEPS);

/** Lines that say in what a server does not answer as it is known to; empty if it does. */
export async function judgeKnown(
  heading: string,
  servers: Servers,
  side: 'theirs' | 'ours',
): Promise<string[]> {
  const observations = await Player.play(servers.addresses[0]!, knownSequence(heading));
  const said = observations.slice(STEPS_BEFORE).flat();
  const known = KNOWN_ANSWERS[heading]![side];
  if (said.join('\n') === known.join('\n')) return [];
  return [...known.map((line) => `- ${line}`), ...said.map((line) => `+ ${line}`)];
}
