import { DataTree } from './data-tree.js';
import { StateDigest } from './digest.js';
import { type EnsembleIdentity, hashIdentity } from './ensemble-identity.js';
import { PublishedConfiguration } from './published-configuration.js';
import { QuotaLedger } from './quota-ledger.js';
import { SessionTable } from './session-table.js';
import { OpenViews } from './frozen-tree.js';

/** Everything that a member's state machine holds. Without znodes at first: plant the tree, or fill it from a snapshot. */
export class MachineState {
  readonly digest = new StateDigest();
  readonly views = new OpenViews();
  readonly tree = new DataTree(this.digest, this.views);
  readonly quotas = new QuotaLedger(this.tree);
  readonly sessions = new SessionTable(this.digest);
  /** This member's own: the only thing here that members need not have in common. */
  readonly configuration = new PublishedConfiguration();
  #identity: EnsembleIdentity | null = null;
  /** zxid of the last transaction whose complete effect is in here. */
  lastZxid = 0n;
  /** Time of the newest transaction: no later one may be behind it. */
  lastTime = 0;

  /** Which ensemble this is; null until a transaction has said so. */
  get identity(): EnsembleIdentity | null {
    return this.#identity;
  }

  /** The digest covers the identity. */
  identify(identity: EnsembleIdentity): void {
    if (this.#identity !== null) {
      hashIdentity(this.#identity);
      this.digest.subtract();
    }
    this.#identity = identity;
    hashIdentity(identity);
    this.digest.add();
  }
}
