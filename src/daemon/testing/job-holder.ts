import { openDatabase } from '../db/database.ts'
import { migrations } from '../db/migrations/all.ts'

// A process for tests to kill: it takes one job and never finishes it.
const db = openDatabase(process.argv[2]!, migrations)
db.sql.exec(`INSERT INTO job (id, name, payload_json, state, priority, attempt, max_attempts, run_at_ms, lease_until_ms,
                              created_at_ms, updated_at_ms)
             VALUES ('held', 'test.count', '{"n":1}', 'running', 1, 1, 3, 0, 9000000000000000, 0, 0)`)
process.send?.('running')
setInterval(() => {}, 1000)
