import { QuorateError } from '../../runtime/index.js';

/** The other end is not who it should be, or does not accept this one. The message says what to look at. */
export class PeerRefused extends QuorateError {
  constructor(message: string, code = 'PEER_REFUSED') {
    super(code, message);
  }
}

/** Digits of an ensemble id that suffice to tell two apart. */
const SHORT_ID = 8;

/** A member, and the ensemble that its data belong to. */
interface Holder {
  readonly member: number;
  readonly ensembleId: string;
}

/** The data directories of two members are of different ensembles. Short enough to leave as the reason of a close. */
export class ForeignEnsembleError extends PeerRefused {
  constructor(own: Holder, other: Holder) {
    const [ownId, otherId] = [own, other].map(({ ensembleId }) => ensembleId.slice(0, SHORT_ID));
    super(
      `member ${other.member} has data of ensemble ${otherId}, member ${own.member} of ${ownId}: start the wrong one with an ` +
        'empty data directory',
      'FOREIGN_ENSEMBLE',
    );
  }
}
