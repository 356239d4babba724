/**
 * `flood.js HOST:PORT CONNECTIONS`: that many clients set one znode, each with many requests under way, until it is told that it is
 * enough; then tells how many sets were answered. Says "ready" when all are connected.
 */
import { connect, type Client } from '../../../core/client/index.js';

const UNDER_WAY = 200;
const BYTES = 100;

const [, , host = '', connections] = process.argv;
const data = new Uint8Array(BYTES).fill(120);
const over = new AbortController();
let answered = 0;

async function flood(client: Client): Promise<void> {
  while (!over.signal.aborted) {
    await client.setData('/flood', data);
    answered += 1;
  }
}

process.on('message', () => void finish());
const clients: Client[] = [];
for (let count = Number(connections); count > 0; count--) clients.push(await connect(`zk://${host}`));
process.send!('ready');
const floods = Promise.all(
  clients.flatMap((client) => Array.from({ length: UNDER_WAY }, () => flood(client))),
);

async function finish(): Promise<void> {
  over.abort();
  await floods.catch(() => undefined);
  process.send!(answered);
  process.exit();
}
