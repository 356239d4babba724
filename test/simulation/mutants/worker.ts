/**
 * Plays seeds one after the other, in both modes, and says in lines of JSON how they end:
 * `node worker.js <from> <seeds> [faults and workloads…]`, passing over those whose plan lacks one of the words.
 */
import { planFor } from '../plan.js';
import { run } from '../run.js';
import type { Report } from './trial.js';

const [from = 1, seeds = 1] = process.argv.slice(2, 4).map(Number);
const words = process.argv.slice(4);

function tell(report: Report): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

for (let seed = from; seed < from + seeds; seed++) {
  for (const mode of ['safety', 'liveness'] as const) {
    const { faults, workloads } = planFor(seed, mode);
    if (!words.every((word) => [...faults, ...workloads].some((part) => part === word))) continue;
    tell({ type: 'begun', seed, mode });
    const { finding } = await run({ seed, mode });
    if (finding === null) continue;
    tell({ type: 'found', seed, mode, finding: finding.message });
    process.exit();
  }
}
tell({ type: 'survived' });
process.exit();
