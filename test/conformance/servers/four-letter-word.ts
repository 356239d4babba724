import { connect } from 'node:net';

const ANSWER_MS = 5_000;

/** What the server at `host:port` answers to one of ZooKeeper's four-letter words. */
export function fourLetterWord(address: string, word: string): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host: host!, port: Number(port) });
    let said = '';
    socket.setTimeout(ANSWER_MS, () =>
      socket.destroy(new Error(`no answer to ${word} within ${ANSWER_MS} ms`)),
    );
    socket.on('connect', () => socket.write(word));
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(said));
  });
}
