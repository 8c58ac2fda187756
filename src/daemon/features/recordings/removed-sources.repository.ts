import type { Database } from '../../db/database.ts'
import type { RecordedSource } from './recorded-sources.ts'

/** What is left of a stream that is gone: whose it was, and where its recordings are. */
export type RemovedSource = Pick<RecordedSource, 'id' | 'workspaceId' | 'name' | 'pathName'>

const SELECT = 'SELECT id, workspace_id AS workspaceId, name, path_name AS pathName FROM removed_source'

/** Streams that were removed, for as long as something that was recorded of them may be there. */
export class RemovedSourcesRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  insert({ id, workspaceId, name, pathName }: RemovedSource): void {
    this.#db
      .prepare('INSERT INTO removed_source (id, workspace_id, name, path_name) VALUES (?, ?, ?, ?)')
      .run(id, workspaceId, name, pathName)
  }

  delete(id: string): void {
    this.#db.prepare('DELETE FROM removed_source WHERE id = ?').run(id)
  }

  list(): RemovedSource[] {
    return this.#db.prepare<unknown[], RemovedSource>(SELECT).all()
  }

  find(id: string): RemovedSource | undefined {
    return this.#db.prepare<unknown[], RemovedSource>(`${SELECT} WHERE id = ?`).get(id)
  }
}
