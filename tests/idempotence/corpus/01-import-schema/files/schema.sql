create table article (id integer, title text);
create table customer (id integer, name text);
