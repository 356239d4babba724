/**
 * Loaded into a member's process ahead of the member (`NODE_OPTIONS=--import`): on SIGUSR2 collects all garbage, and writes what is
 * left into the file `PID.json` of the directory that QUORATE_VITALS names. What a process uses after that is what it holds.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { countTimers, ownVitals } from '../vitals.js';

const directory = process.env['QUORATE_VITALS'];

if (directory !== undefined) {
  countTimers();
  process.on('SIGUSR2', () => {
    const file = join(directory, `${process.pid}.json`);
    writeFileSync(`${file}.part`, JSON.stringify(ownVitals()));
    renameSync(`${file}.part`, file);
  });
}
