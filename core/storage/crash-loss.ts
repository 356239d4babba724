import type { Random } from '../runtime/index.js';
import type { Survival } from './memory-file.js';

/** What a crash does to writes that were not synced: all kept (the process died), all lost, or anything in between, by chance. */
export type CrashLoss = 'keep' | 'lose' | 'random';

/** Chosen anew for each crash. */
export interface LossPlan {
  /** A fresh one for each file. */
  survival(): Survival;
  /** How many of `count` unsynced changes of the directory survive, the oldest first. */
  directoryChanges(count: number): number;
}

export function planLoss(loss: CrashLoss, random: Random): LossPlan {
  if (loss === 'keep') return { survival: () => keepAll, directoryChanges: (count) => count };
  if (loss === 'lose') return { survival: () => loseAll, directoryChanges: () => 0 };
  return {
    survival: () => randomSurvival(random),
    directoryChanges: (count) => Math.floor(random.next() * (count + 1)),
  };
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
