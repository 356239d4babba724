/**
 * `probe.js HOST:PORT,… ZNODES FOLDER`: gets a znode from every host each millisecond, whether the one before has been answered or not,
 * until it is told that it is enough; then tells how long each took. Says "ready" when it has begun.
 */
import { connect, type Client } from '../../../core/client/index.js';
import type { Gets } from './probe-told.js';

const EVERY_MS = 1;
const WARM_UP_MS = 1000;

const [, , hosts = '', znodes, folder] = process.argv;
const [count, perFolder] = [Number(znodes), Number(folder)];
const clients = await Promise.all(hosts.split(',').map((host) => connect(`ws://${host}`)));
/** One get; `ms` is unknown until it has been answered. */
interface Get {
  readonly sentAt: number;
  ms: number | null;
  ownMs: number;
}

const gets: Get[] = [];
/** Whose answers have not been seen by a tick yet: if that tick is late, they may have waited here for so long. */
const open = new Set<Get>();
let isWarm = false;
let turn = 0;
let due = performance.now() + EVERY_MS;
let last = Promise.resolve();

async function ask(client: Client): Promise<void> {
  const index = (turn++ * 104_729) % count;
  const get: Get = { sentAt: Date.now(), ms: null, ownMs: 0 };
  const at = performance.now();
  open.add(get);
  await client.getData(`/d${Math.floor(index / perFolder)}/n${index % perFolder}`);
  get.ms = performance.now() - at;
  if (isWarm) gets.push(get);
}

function probe(): void {
  const now = performance.now();
  for (const get of open) {
    get.ownMs += Math.max(0, now - due);
    if (get.ms !== null) open.delete(get);
  }
  due = now + EVERY_MS;
  last = Promise.all([last, ...clients.map(ask)]).then(() => undefined);
}

const timer = setInterval(probe, EVERY_MS);
setTimeout(() => {
  isWarm = true;
  process.send!('ready');
}, WARM_UP_MS);
process.on('message', () => void finish());

async function finish(): Promise<void> {
  clearInterval(timer);
  await last;
  const told: Gets = {
    sentAt: gets.map(({ sentAt }) => sentAt),
    ms: gets.map(({ ms }) => ms!),
    ownMs: gets.map(({ ms, ownMs }) => Math.min(ms!, ownMs)),
  };
  process.send!(told);
  await Promise.all(clients.map((client) => client.close()));
  process.disconnect();
}
