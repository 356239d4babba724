/**
 * Plays seeds one after the other, in both modes, and says in lines of JSON how they end:
 * `node worker.js <from> <seeds> [focus]`, where the focus is JSON.
 */
import type { Focus } from '../plan.js';
import { run } from '../run.js';
import type { Report } from './trial.js';

const [from = 1, seeds = 1] = process.argv.slice(2, 4).map(Number);
const { mode: onlyMode, ...focus } = JSON.parse(process.argv[4] ?? '{}') as Focus;

function tell(report: Report): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

for (let seed = from; seed < from + seeds; seed++) {
  for (const mode of ['safety', 'liveness'] as const) {
    if (mode !== (onlyMode ?? mode)) continue;
    tell({ type: 'begun', seed, mode });
    const { finding } = await run({ seed, mode, focus });
    if (finding === null) continue;
    tell({ type: 'found', seed, mode, finding: finding.message });
    process.exit();
  }
}
tell({ type: 'survived' });
process.exit();
