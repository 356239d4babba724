import * as assert from 'uvu/assert';
import { WebSocketDialer } from '../../core/transport/index.js';
import { RawClient } from '../core/server/raw-client.js';
import { type MemberProcess, until } from '../process/member-process.js';

const TIMEOUT_MS = 120_000;
const dialer = new WebSocketDialer();

/** A client that writes and reads without pause while others attack, and checks every answer. */
export class Bystander {
  /** Writes that were answered, each with a read behind it that shows it. */
  done = 0;
  readonly #finished: Promise<void>;
  #isStopped = false;
  #failure: Error | null = null;
  readonly #client: RawClient;
  readonly #path: string;

  private constructor(client: RawClient) {
    this.#client = client;
    this.#path = `/bystander-${client.response!.sessionId.toString(16)}`;
    this.#finished = this.#work().catch((error: Error) => void (this.#failure = error));
  }

  static async at(member: Pick<MemberProcess, 'address'>): Promise<Bystander> {
    return new Bystander(await RawClient.open(dialer, member.address, TIMEOUT_MS));
  }

  /** Waits until so many more of its writes were answered. */
  async answered(count: number): Promise<void> {
    const wanted = this.done + count;
    await until(
      () => this.done >= wanted || this.#failure !== null,
      `${count} answers to a bystander`,
      120_000,
    );
    if (this.#failure !== null) throw this.#failure;
  }

  /** Rejects if an answer was missing or wrong. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#finished;
    this.#client.connection.terminate();
    if (this.#failure !== null) throw this.#failure;
  }

  async #work(): Promise<void> {
    await this.#client.create(this.#path);
    while (!this.#isStopped) {
      const text = String(this.done);
      assert.is((await this.#client.setData(this.#path, text)).err, 0);
      const read = await this.#client.getData(this.#path);
      assert.is(Buffer.from(read.body!.data!).toString(), text);
      this.done += 1;
    }
  }
}
