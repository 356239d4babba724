import type { Random } from '../runtime/index.js';
import type { Survival } from './memory-file.js';

/**
 * What a crash does to writes that were not synced. `keep`: only the process died; the system still holds them, unsynced
 * as they are. Else the power failed: `lose` takes them all, `random` any of them.
 */
export type CrashLoss = 'keep' | 'lose' | 'random';

/** Chosen anew for each crash. */
export interface LossPlan {
  /** A fresh one for each file. */
  survival(): Survival;
  /** Whether a file keeps a size that was not synced: its new blocks then hold what survived in them, or what was there before. */
  keepsSize(): boolean;
  /** Which of the unsynced changes of the directory survive; each is given as the names that it touches, oldest first. */
  directorySurvivors(changes: readonly (readonly string[])[]): readonly boolean[];
}

export function planLoss(loss: Exclude<CrashLoss, 'keep'>, random: Random): LossPlan {
  if (loss === 'lose') {
    return {
      survival: () => loseAll,
      keepsSize: () => false,
      directorySurvivors: (changes) => changes.map(() => false),
    };
  }
  return {
    survival: () => randomSurvival(random),
    keepsSize: () => random.next() < 0.3,
    directorySurvivors: (changes) => randomDirectory(changes, random),
  };
}

/** A prefix, or any of them; but never one without those before it that touch the same names. */
function randomDirectory(changes: readonly (readonly string[])[], random: Random): readonly boolean[] {
  const isPrefix = random.next() < 0.5;
  const lost = new Set<string>();
  let hasLost = false;
  return changes.map((names) => {
    const survives = random.next() < 0.6 && !(isPrefix && hasLost) && !names.some((name) => lost.has(name));
    if (survives) return true;
    hasLost = true;
    for (const name of names) lost.add(name);
    return false;
  });
}

const keepAll: Survival = () => () => Infinity;
const loseAll: Survival = () => () => 0;

/** The shapes that real disks leave behind: nothing, everything, a prefix torn at any byte, or scattered sectors. */
function randomSurvival(random: Random): Survival {
  const shapes = [loseAll, keepAll, tornPrefix(random), scatteredSectors(random)];
  return shapes[Math.floor(random.next() * shapes.length)]!;
}

function tornPrefix(random: Random): Survival {
  let isTorn = false;
  return () => {
    if (isTorn) return () => 0;
    if (random.next() < 0.5) return () => Infinity;
    isTorn = true;
    const tornSector = Math.floor(random.next() * 4);
    const tornByte = Math.floor(random.next() * 513);
    return (sector) => (sector < tornSector ? Infinity : sector === tornSector ? tornByte : 0);
  };
}

function scatteredSectors(random: Random): Survival {
  return () => () => (random.next() < 0.5 ? Infinity : 0);
}
