import { testRandomLives } from './testing/lives/random-lives.ts'

testRandomLives(() => null)
