//! Groups, and their members page by page.

use super::*;
use crate::simulate::StrangeLink;
use crate::simulate::groups::EVERYBODY;

async fn world() -> World {
    World::with(Settings { users: 5, groups: true, speed: 0.0, ..Settings::default() }).await
}

impl World {
    async fn members(&self, query: &str) -> (u16, Value) {
        let path = format!("/v1.0/groups/{EVERYBODY}/transitiveMembers/microsoft.graph.user{query}");
        self.page(&format!("{}{path}", self.server.url())).await
    }

    async fn page(&self, url: &str) -> (u16, Value) {
        let request = self.http.get(url).bearer_auth(&self.token).header("ConsistencyLevel", "eventual");
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

#[tokio::test]
async fn members_come_in_pages_until_there_is_no_link() {
    let world = world().await;
    let (status, first) = world.members("?$select=id,userPrincipalName&$top=2&$count=true").await;
    assert_eq!((status, &first["@odata.count"]), (200, &json!(5)));
    assert_eq!(first["value"][0]["userPrincipalName"], "alice@contoso.example");
    assert_eq!(first["value"][0].get("displayName"), None);
    let (mut ids, mut page) = (Vec::new(), first);
    loop {
        ids.extend(page["value"].as_array().unwrap().iter().map(|member| member["id"].clone()));
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        let (status, more) = world.page(next).await;
        assert_eq!(status, 200, "{more}");
        page = more;
    }
    let people: Vec<Value> = world.tenant.people().iter().map(|person| json!(person.id)).collect();
    assert_eq!(ids, people);
}

#[tokio::test]
async fn members_join_and_leave_and_whoever_is_removed_is_in_no_group() {
    let world = world().await;
    let (group, people) = (EVERYBODY.into(), world.tenant.people());
    assert!(world.tenant.leave_group(group, people[0].id) && !world.tenant.leave_group(group, people[0].id));
    world.tenant.remove(people[1].id);
    let count = async || world.members("?$count=true").await.1["@odata.count"].clone();
    assert_eq!(count().await, 3);
    assert!(world.tenant.join_group(group, people[0].id) && !world.tenant.join_group(group, people[0].id));
    assert_eq!(count().await, 4);
    world.tenant.set_group(group, &[people[2].id]);
    assert_eq!(count().await, 1);
    assert!(world.tenant.remove_group(group) && !world.tenant.remove_group(group));
    assert_eq!(world.members("?$count=true").await.0, 404);
}

#[tokio::test]
async fn an_advanced_query_needs_its_count_and_its_header() {
    let world = world().await;
    for query in
        ["", "?$count=false", "?$count=true&$top=1000", "?$count=true&$top=0", "?$count=true&$skiptoken=x"]
    {
        assert_eq!(world.members(query).await.0, 400, "{query}");
    }
    let path = format!("/v1.0/groups/{EVERYBODY}/transitiveMembers/microsoft.graph.user?$count=true");
    let request = world.http.get(format!("{}{path}", world.server.url())).bearer_auth(&world.token);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 400, "no header");
    let request = world
        .http
        .get(format!("{}/v1.0/groups/x/transitiveMembers/microsoft.graph.user", world.server.url()));
    assert_eq!(request.bearer_auth(&world.token).send().await.unwrap().status().as_u16(), 400, "no GUID");
}

#[tokio::test]
async fn without_permissions_there_are_no_members_or_members_without_names() {
    let permissions = |names: &[&str]| Settings {
        groups: true,
        permissions: names.iter().map(|&name| name.to_owned()).collect(),
        ..Settings::default()
    };
    let world = World::with(permissions(&["User.ReadBasic.All"])).await;
    assert_eq!(world.members("?$count=true").await.0, 403);
    let world = World::with(permissions(&["GroupMember.Read.All"])).await;
    let (status, page) = world.members("?$count=true").await;
    assert_eq!((status, &page["value"][0]["userPrincipalName"]), (200, &Value::Null));
    assert!(page["value"][0]["id"].is_string());
}

#[tokio::test]
async fn links_may_be_strange() {
    let world = world().await;
    world.tenant.switch(|switches| switches.members_page = Some(2));
    for (strange, start) in [
        (StrangeLink::OtherHost, "http://elsewhere.example/v1.0/groups/".to_owned()),
        (StrangeLink::OtherPath, format!("{}/v1.0/users?", world.server.url())),
        (StrangeLink::Same, format!("{}/v1.0/groups/", world.server.url())),
    ] {
        world.tenant.switch(|switches| switches.strange_link = Some(strange));
        let (_, page) = world.members("?$count=true&$top=999").await;
        let link = page["@odata.nextLink"].as_str().unwrap();
        assert!(link.starts_with(&start), "{link}");
        assert_eq!(page["value"].as_array().unwrap().len(), 2);
    }
}
