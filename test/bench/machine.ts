/** What a bench ran on, and what a process used there: as Linux tells. */
import { closeSync, fdatasyncSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { median } from './figures.js';

/** `/proc` counts in hundredths of a second on every Linux there is. */
const MICROS_PER_TICK = 10_000;
const SYNCS = 200;
const SYNC_BYTES = 4096;

/** One line; nothing in it names this machine, its user or a path. */
export function machineShape(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown CPU';
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  return `${availableParallelism()} × ${model}, ${gib} GiB, Linux ${release()}, Node ${process.version}, fdatasync of 4 KiB ${syncMs().toFixed(2)} ms`;
}

/** Of the machine's monotonic clock, milliseconds: comparable between the processes of one machine. */
export function machineNowMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** Time that these processes have had of the processor, in all, in microseconds. */
export function cpuMicrosOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Behind the name of the program, which may hold anything: user and system time are the 12th and 13th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK;
  }, 0);
}

/** Resident memory, bytes. */
export function residentBytesOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function syncMs(): number {
  const file = join(tmpdir(), `quorate-sync-${process.pid}`);
  const descriptor = openSync(file, 'w');
  try {
    const block = Buffer.alloc(SYNC_BYTES, 1);
    const times = Array.from({ length: SYNCS }, () => {
      writeSync(descriptor, block);
      const at = performance.now();
      fdatasyncSync(descriptor);
      return performance.now() - at;
    });
    return median(times);
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}
