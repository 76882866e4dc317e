import type { Subject, SyncReply } from "../ledger/protocol.ts";

/** What an isolate knows of a shard, and since when. Replaced only as a unit. */
export interface Lease {
  epoch: string;
  seq: number;
  floor: number;
  fences: ReadonlyMap<Subject, number>;
  open: ReadonlySet<Subject>;
  /** The question it answers. */
  asked: Question;
}

/** When a sync was sent: a lease is as old as its question, however late the answer came. */
export interface Question {
  /** The isolate's own clock just before it sent the sync, in ms. */
  at: number;
  /** The isolate's own count of syncs: tells two of the same millisecond apart, and never runs back. */
  order: number;
}

/** As of which state of a shard something was read. */
export interface Stamp {
  epoch: string;
  seq: number;
}

/**
 * The lease after a reply. The later question wins, whichever answer came first: an answer may have been
 * on its way for long. A delta is used only on top of what it continues.
 */
export function renewed(lease: Lease | null, reply: SyncReply, asked: Question): Lease | null {
  if (lease !== null && lease.asked.order > asked.order) return lease;
  const { epoch, seq, floor, since } = reply;
  if (lease !== null && lease.epoch === epoch && lease.seq > seq) {
    // The shard answered this question before an earlier one, whose answer knows more. What it knows is
    // kept whole (its fences lean on its floor), and is true as of the later question too.
    return { ...lease, asked };
  }
  const open = new Set(reply.open);
  if (since === null) return { epoch, seq, floor, fences: new Map(reply.fences), open, asked };
  if (lease === null || lease.epoch !== epoch || lease.seq < since) return lease;
  let fences = lease.fences;
  if (reply.fences.length > 0) {
    // What lies at or below the floor is said by the floor, which rises only with a new fence.
    const merged = new Map([...fences].filter(([, at]) => at > floor));
    for (const [subject, at] of reply.fences) merged.set(subject, at);
    fences = merged;
  }
  return { epoch, seq, floor, fences, open, asked };
}

/**
 * Whether something read as of `stamp` is still what D1 says, as far as the lease knows. A number that the
 * shard has not come to, as far as the lease knows, says nothing: no fence would ever reach it.
 */
export function isCurrent(lease: Lease, stamp: Stamp, subjects: readonly Subject[]): boolean {
  if (stamp.epoch !== lease.epoch || stamp.seq < lease.floor || stamp.seq > lease.seq) return false;
  for (const subject of subjects) {
    if (lease.open.has(subject)) return false;
    const fence = lease.fences.get(subject);
    if (fence !== undefined && stamp.seq < fence) return false;
  }
  return true;
}
