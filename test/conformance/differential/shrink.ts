/** How often a failing sequence is tried again, shortened. */
const MAX_TRIES = 150;

/**
 * The shortest sequence found that still fails: what is behind the failure goes at once, then runs of steps are left out, long
 * ones first. `failsAt` says at which index a sequence fails; null if it does not.
 */
export async function shrink<T>(
  steps: readonly T[],
  failsAt: (steps: readonly T[]) => Promise<number | null>,
): Promise<readonly T[]> {
  let best = steps;
  let tries = 0;
  for (let run = best.length >> 1; run >= 1; run >>= 1) {
    for (let at = best.length - run; at >= 0 && tries < MAX_TRIES; at -= run) {
      const candidate = [...best.slice(0, at), ...best.slice(at + run)];
      tries++;
      const index = await failsAt(candidate);
      if (index === null) continue;
      best = candidate.slice(0, index + 1);
      at = Math.min(at, best.length);
    }
  }
  return best;
}
