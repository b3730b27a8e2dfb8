// Package fire holds the tests that kill: a real process is played into, killed
// by SIGKILL at random instants or at a named point, started again, and in the
// end its books must be sound and the same as if nothing had happened.
//
// It owns nothing that ships. Always true of what it tests: a process that dies
// anywhere and is started again does each thing once.
package fire
