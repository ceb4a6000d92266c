use super::*;

#[tokio::test]
async fn who_is_new_on_the_front_end_is_told_to_every_worker_once() {
    let house = house();
    let offer = house.offer().await.unwrap();
    let peer = peer(&house.join(&offer, &KeyPair::generate().unwrap()).await.unwrap());
    let door = Doorkeeper(Arc::clone(&house.roster));
    let before = door.orders(peer.clone(), 0).await.unwrap().generation;

    let people = People { passwd: "bob:*:1001:1001::/home/bob:/bin/sh\n".into(), group: "bob:*:1001:\n".into() };
    let (orders, is_news) = tokio::join!(door.orders(peer, before), house.roster.people_are(people.clone()));
    assert!(is_news.unwrap());
    assert_eq!(orders.unwrap().bundle.unwrap().nis.unwrap().people, Some(people.clone()));
    assert!(!house.roster.people_are(people).await.unwrap());
}
