import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** What a heap may grow by between two collections of its old generation. */
const HEADROOM_BYTES = 64 * 1024 * 1024;
/** V8 itself never lets a heap grow to more than four times what was alive. */
const MOST_PERCENT = 300;

/**
 * V8 collects the old generation whenever the heap has grown by some part of what was alive, so a small heap under many writes, each of which
 * replaces data that had become old, is collected about twice a second, for a fifth of its time under writes of a kilobyte.
 * From here on a heap with less than the headroom alive may grow by the headroom, or to four times its size if that is less; a larger one
 * is left to V8. For a process that does nothing else than run a member; an embedded one shares the heap of its application.
 */
export function keepHeapHeadroom(): void {
  let percent = 0;
  const allowGrowth = (): void => {
    // Right behind a collection next to nothing but what is alive is there.
    const next = growthPercent(getHeapStatistics().used_heap_size);
    if (next === percent) return;
    percent = next;
    // V8 reads it at the end of each collection.
    setFlagsFromString(`--heap-growing-percent=${percent}`);
  };
  allowGrowth();
  new PerformanceObserver((list) => {
    if (list.getEntries().some(isMajor)) allowGrowth();
  }).observe({ entryTypes: ['gc'] });
}

/** By how much a heap may grow of which so many bytes are alive; 0 leaves it to V8. */
export function growthPercent(aliveBytes: number): number {
  const percent = Math.floor((100 * HEADROOM_BYTES) / aliveBytes);
  return percent < 100 ? 0 : Math.min(percent, MOST_PERCENT);
}

function isMajor(entry: { readonly name: string }): boolean {
  const { detail } = entry as { readonly detail?: { readonly kind?: number } };
  return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
