// headlamp-standin stands where Headlamp would: it answers its probe and says on its page what it is not.
package main

import (
	"fmt"
	"log"
	"net/http"
)

const page = `<!doctype html><title>stand-in</title><h1>This is not Headlamp</h1>
<p>It answers the probe so that the deployment can be tried where the real image cannot be fetched.</p>
`

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, page)
	})
	log.Fatal(http.ListenAndServe(":4466", nil))
}
