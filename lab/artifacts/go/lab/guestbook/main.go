// guestbook-standin is a small guestbook: a page with a form, its entries kept in a list of Redis.
//
//	GET /             the page          POST /            message=...: adds an entry, then shows the page
//	GET /healthz      ok                GET /readyz       ok when Redis answers
//
// REDIS_LEADER and REDIS_FOLLOWER (host:port) say where to write and where to read; the follower's default is the leader.
// An address wants port 6379 where it names none.
package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const key = "guestbook"

var page = template.Must(template.New("page").Parse(`<!doctype html><meta charset="utf-8"><title>Guestbook</title>
<h1>Guestbook</h1>
<form method="post"><input name="message" autofocus> <button>Submit</button></form>
<ul>{{range .Entries}}<li>{{.}}</li>
{{end}}</ul>
<p>served by {{.Host}}</p>
`))

type server struct{ leader, follower, host string }

func main() {
	leader := address(cmp.Or(os.Getenv("REDIS_LEADER"), "redis-leader"))
	host, _ := os.Hostname()
	s := server{leader, leader, host}
	if follower := os.Getenv("REDIS_FOLLOWER"); follower != "" {
		s.follower = address(follower)
	}
	http.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	http.HandleFunc("GET /readyz", s.ready)
	http.HandleFunc("GET /{$}", s.show)
	http.HandleFunc("POST /{$}", s.add)
	log.Fatal(http.ListenAndServe(cmp.Or(os.Getenv("LISTEN"), ":80"), nil))
}

func address(name string) string {
	if _, _, err := net.SplitHostPort(name); err == nil {
		return name
	}
	return net.JoinHostPort(name, "6379")
}

func (s server) ready(w http.ResponseWriter, _ *http.Request) {
	for _, address := range []string{s.leader, s.follower} {
		if _, err := command(address, "PING"); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ok")
}

func (s server) show(w http.ResponseWriter, _ *http.Request) {
	entries, err := command(s.follower, "LRANGE", key, "0", "-1")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Execute(w, map[string]any{"Entries": entries, "Host": s.host}); err != nil {
		log.Print(err)
	}
}

func (s server) add(w http.ResponseWriter, r *http.Request) {
	if message := r.PostFormValue("message"); message != "" {
		if _, err := command(s.leader, "RPUSH", key, message); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// command sends one command to Redis and returns the texts of its answer.
func command(address string, words ...string) ([]string, error) {
	connection, err := net.DialTimeout("tcp", address, 3*time.Second)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
		return nil, err
	}
	var request strings.Builder
	fmt.Fprintf(&request, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := io.WriteString(connection, request.String()); err != nil {
		return nil, err
	}
	return answer(bufio.NewReader(connection))
}

// answer reads one answer of Redis' protocol: a status, a number, a text or a list of them.
func answer(reader *bufio.Reader) ([]string, error) {
	line, err := reader.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return nil, errors.New("redis sent an empty line")
	}
	switch rest := line[1:]; line[0] {
	case '+', ':':
		return []string{rest}, nil
	case '-':
		return nil, errors.New("redis: " + rest)
	case '$':
		return text(reader, rest)
	case '*':
		return list(reader, rest)
	}
	return nil, fmt.Errorf("redis sent %q", line)
}

func text(reader *bufio.Reader, length string) ([]string, error) {
	size, err := strconv.Atoi(length)
	if err != nil || size < 0 {
		return nil, err
	}
	content := make([]byte, size+2)
	if _, err := io.ReadFull(reader, content); err != nil {
		return nil, err
	}
	return []string{string(content[:size])}, nil
}

func list(reader *bufio.Reader, length string) ([]string, error) {
	count, err := strconv.Atoi(length)
	if err != nil {
		return nil, err
	}
	var all []string
	for range count {
		one, err := answer(reader)
		if err != nil {
			return nil, err
		}
		all = append(all, one...)
	}
	return all, nil
}
