// What this isolate knows of conversations begun while a drain is on: under which revision their first turn was
// served. Guarantee 3 needs it only for buckets that the drain's tables disagree about; elsewhere nothing is kept.
// Bounded; a conversation that fell out is asked for at Control again.

export type Conversations = {
  /** fingerprint → revision it began under; null: known to have begun before all drains. */
  known: Map<string, number | null>;
  /** First turns that Control has not been told of. */
  unreported: { conversation: string; revision: number }[];
};

const MOST_KNOWN = 5_000;
const MOST_UNREPORTED = 1_000;

export function createConversations(): Conversations {
  return { known: new Map(), unreported: [] };
}

export function recall(conversations: Conversations, conversation: string): number | null | undefined {
  return conversations.known.get(conversation);
}

export function remember(conversations: Conversations, conversation: string, revision: number | null): void {
  const { known } = conversations;
  known.delete(conversation);
  known.set(conversation, revision);
  if (known.size > MOST_KNOWN) {
    const oldest = known.keys().next().value;
    if (oldest !== undefined) known.delete(oldest);
  }
}

/** A first turn in a disputed bucket. A repeated one (an SDK's retry) keeps its first revision. */
export function begin(conversations: Conversations, conversation: string, revision: number): void {
  if (typeof conversations.known.get(conversation) === "number") return;
  remember(conversations, conversation, revision);
  if (conversations.unreported.length < MOST_UNREPORTED) {
    conversations.unreported.push({ conversation, revision });
  }
}
