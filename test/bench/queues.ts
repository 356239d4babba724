/** The queue, by its own program: jobs added and worked off on one member and on three. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench, BenchRun } from './bench-run.js';
import type { Section } from './results.js';

const PROGRAM = fileURLToPath(new URL('queue.js', import.meta.url));
const MEMBERS = [1, 3];
const FULL = ['--jobs', '20000', '--rounds', '4'];
const QUICK = ['--jobs', '1000', '--rounds', '2'];

export const queue: Bench = { name: 'queue', needsTools: false, run: measure };

async function measure(run: BenchRun): Promise<Section> {
  const flags = run.isQuick ? QUICK : FULL;
  const parts: string[] = [];
  for (const members of MEMBERS) {
    run.note(`${members} members`);
    const args = [PROGRAM, '--members', String(members), ...flags];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    parts.push(
      `### ${members === 1 ? 'One member' : 'Three members'}\n\n\`\`\`text\n${stdout.trim()}\n\`\`\``,
    );
  }
  return {
    title: 'Queue',
    about:
      'Jobs of 128 bytes added by one process, and worked off by two with a concurrency of 50 each, on durable members; the first round ' +
      'warms up. For comparison, on a machine of 2 cores: BullMQ on one Redis with `appendfsync always` added 17,000–31,000 jobs in a second and ' +
      'worked off 10,000–12,000 with the same two processes.',
    commands: MEMBERS.map(
      (members) => `node dist/test/bench/queue.js --members ${members} ${flags.join(' ')}`,
    ),
    body: parts.join('\n\n'),
  };
}
