/** Questions of our own that wait for an answer. */

import type { Fields } from "../decode.js";
import { AntiphonError, clientError } from "../errors.js";
import type { Answer } from "./owned.js";
import type { AnswerAction } from "./rows.js";

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export class Pending {
  readonly #waiting = new Map<string, Waiting>();
  /** Why answers cannot be heard. */
  #deaf: AntiphonError | null = null;

  wait(questionId: string): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(questionId, { resolve, reject });
    });
    answer.catch(() => undefined); // it may be refused before anybody awaits it
    if (this.#deaf !== null) this.refuse(questionId, this.#deaf);
    return answer;
  }

  /** With the data of `question.answered`, or a row. */
  answer(data: Fields): void {
    const questionId = String(data["question_id"]);
    this.#take(questionId)?.resolve({
      questionId,
      answer: data["answer"] ?? null,
      action: (data["action"] as AnswerAction | null | undefined) ?? "answer",
      by: typeof data["by"] === "string" ? data["by"] : null,
      isDefault: data["is_default"] === true,
    });
  }

  withdraw(data: Fields): void {
    const reason = typeof data["reason"] === "string" ? data["reason"] : "the question was withdrawn";
    this.refuse(String(data["question_id"]), clientError("withdrawn", reason));
  }

  refuse(questionId: string, error: unknown): void {
    this.#take(questionId)?.reject(error);
  }

  refuseAll(error: AntiphonError): void {
    for (const questionId of [...this.#waiting.keys()]) this.refuse(questionId, error);
  }

  /** Answers cannot be heard, now or later. */
  deafen(error: AntiphonError): void {
    this.#deaf = error;
    this.refuseAll(error);
  }

  #take(questionId: string): Waiting | undefined {
    const waiting = this.#waiting.get(questionId);
    this.#waiting.delete(questionId);
    return waiting;
  }
}
