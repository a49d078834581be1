import type { ForeignAccount } from './load-account.js';

const NAMES = 16;
const LONGEST_NAME = 256;

/** Messages by topic: the first 16 names, each up to 256 characters, the others together. */
export class ForeignTopics {
  private messages = 0;
  private otherTopics = 0;
  private readonly topics = new Map<string, number>();

  add(topic: string): void {
    this.messages += 1;
    const before = this.topics.get(topic);
    if (before === undefined && (this.topics.size >= NAMES || topic.length > LONGEST_NAME))
      this.otherTopics += 1;
    else this.topics.set(topic, (before ?? 0) + 1);
  }

  account(): ForeignAccount {
    const topics = [...this.topics].map(([topic, messages]) => ({ topic, messages }));
    return { messages: this.messages, topics, otherTopics: this.otherTopics };
  }
}
